package money

import (
	"maps"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// exponents holds the minor units of ISO 4217 (list one: current currencies and
// funds codes). Codes for which the standard gives none (XAU, XDR, XXX …) are no
// money here.
var exponents = func() map[string]int {
	m := map[string]int{}
	for places, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY " +
			"COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR " +
			"IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN " +
			"NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC " +
			"SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	} {
		for _, code := range strings.Fields(codes) {
			m[code] = places
		}
	}
	return m
}()

// Exponent returns the number of decimals of a currency: 2 for USD, 0 for JPY.
func Exponent(currency string) (int, bool) {
	places, ok := exponents[currency]
	return places, ok
}

// Currencies returns the known codes, sorted.
func Currencies() []string { return slices.Sorted(maps.Keys(exponents)) }

func exponent(currency string) (int, error) {
	places, ok := Exponent(currency)
	if !ok {
		return 0, fault.New(fault.Invalid, "MONEY_CURRENCY_UNKNOWN", "%q is no ISO 4217 currency", currency)
	}
	return places, nil
}
