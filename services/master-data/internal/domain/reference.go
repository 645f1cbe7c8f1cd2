package domain

import (
	_ "embed" // the list of countries
	"slices"
	"strings"
)

// Country is an entry of ISO 3166-1.
type Country struct{ Code, Name string }

//go:embed countries.txt
var countriesText string

var countries, countryNames = parseCountries(countriesText)

// parseCountries reads lines of "CC Name", sorted by code.
func parseCountries(text string) ([]Country, map[string]string) {
	var list []Country
	names := map[string]string{}
	for line := range strings.Lines(text) {
		code, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		list = append(list, Country{code, name})
		names[code] = name
	}
	return list, names
}

// Countries returns the countries of ISO 3166-1, by alpha-2 code.
func Countries() []Country { return slices.Clone(countries) }
