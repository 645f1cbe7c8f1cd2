package quantity

// units is the part of UN/ECE Recommendation 20 (revision 17) that goods flows
// use, and package codes of Recommendation 21 that do not collide with it. Where
// the recommendation prints a rounded factor (ounce, gallon, cubic foot) the legal
// definition stands here: the international yard and pound of 1959, the US
// gallon of 231 cubic inches, the UK gallon of 4.54609 litres.
var units = table([]UnitInfo{
	{Code: "C62", Name: "one", Dimension: Count, Factor: Ratio{1, 1}},
	{Code: "EA", Name: "each", Dimension: Count, Factor: Ratio{1, 1}},
	{Code: "H87", Name: "piece", Dimension: Count, Factor: Ratio{1, 1}},
	{Code: "NAR", Name: "number of articles", Dimension: Count, Factor: Ratio{1, 1}},
	{Code: "PR", Name: "pair", Dimension: Count, Factor: Ratio{2, 1}},
	{Code: "DZN", Name: "dozen", Dimension: Count, Factor: Ratio{12, 1}},
	{Code: "GRO", Name: "gross", Dimension: Count, Factor: Ratio{144, 1}},
	{Code: "CEN", Name: "hundred", Dimension: Count, Factor: Ratio{100, 1}},
	{Code: "MIL", Name: "thousand", Dimension: Count, Factor: Ratio{1000, 1}},

	{Code: "KGM", Name: "kilogram", Dimension: Mass, Factor: Ratio{1, 1}},
	{Code: "MGM", Name: "milligram", Dimension: Mass, Factor: Ratio{1, 1_000_000}},
	{Code: "GRM", Name: "gram", Dimension: Mass, Factor: Ratio{1, 1000}},
	{Code: "HGM", Name: "hectogram", Dimension: Mass, Factor: Ratio{1, 10}},
	{Code: "DTN", Name: "decitonne", Dimension: Mass, Factor: Ratio{100, 1}},
	{Code: "TNE", Name: "tonne (metric ton)", Dimension: Mass, Factor: Ratio{1000, 1}},
	{Code: "LBR", Name: "pound", Dimension: Mass, Factor: Ratio{45_359_237, 100_000_000}},
	{Code: "ONZ", Name: "ounce (avoirdupois)", Dimension: Mass, Factor: Ratio{45_359_237, 1_600_000_000}},
	{Code: "STI", Name: "stone (UK)", Dimension: Mass, Factor: Ratio{14 * 45_359_237, 100_000_000}},
	{Code: "CWA", Name: "hundred pound (cwt) / hundred weight (US)", Dimension: Mass, Factor: Ratio{45_359_237, 1_000_000}},
	{Code: "CWI", Name: "hundred weight (UK)", Dimension: Mass, Factor: Ratio{112 * 45_359_237, 100_000_000}},
	{Code: "STN", Name: "ton (US) or short ton (UK/US)", Dimension: Mass, Factor: Ratio{2000 * 45_359_237, 100_000_000}},
	{Code: "LTN", Name: "ton (UK) or long ton (US)", Dimension: Mass, Factor: Ratio{2240 * 45_359_237, 100_000_000}},

	{Code: "MTR", Name: "metre", Dimension: Length, Factor: Ratio{1, 1}},
	{Code: "MMT", Name: "millimetre", Dimension: Length, Factor: Ratio{1, 1000}},
	{Code: "CMT", Name: "centimetre", Dimension: Length, Factor: Ratio{1, 100}},
	{Code: "DMT", Name: "decimetre", Dimension: Length, Factor: Ratio{1, 10}},
	{Code: "KMT", Name: "kilometre", Dimension: Length, Factor: Ratio{1000, 1}},
	{Code: "INH", Name: "inch", Dimension: Length, Factor: Ratio{254, 10_000}},
	{Code: "FOT", Name: "foot", Dimension: Length, Factor: Ratio{3048, 10_000}},
	{Code: "YRD", Name: "yard", Dimension: Length, Factor: Ratio{9144, 10_000}},
	{Code: "SMI", Name: "mile (statute mile)", Dimension: Length, Factor: Ratio{1_609_344, 1000}},
	{Code: "NMI", Name: "nautical mile", Dimension: Length, Factor: Ratio{1852, 1}},

	{Code: "MTK", Name: "square metre", Dimension: Area, Factor: Ratio{1, 1}},
	{Code: "MMK", Name: "square millimetre", Dimension: Area, Factor: Ratio{1, 1_000_000}},
	{Code: "CMK", Name: "square centimetre", Dimension: Area, Factor: Ratio{1, 10_000}},
	{Code: "INK", Name: "square inch", Dimension: Area, Factor: Ratio{64_516, 100_000_000}},
	{Code: "FTK", Name: "square foot", Dimension: Area, Factor: Ratio{9_290_304, 100_000_000}},
	{Code: "YDK", Name: "square yard", Dimension: Area, Factor: Ratio{83_612_736, 100_000_000}},

	{Code: "MTQ", Name: "cubic metre", Dimension: Volume, Factor: Ratio{1, 1}},
	{Code: "MMQ", Name: "cubic millimetre", Dimension: Volume, Factor: Ratio{1, 1_000_000_000}},
	{Code: "CMQ", Name: "cubic centimetre", Dimension: Volume, Factor: Ratio{1, 1_000_000}},
	{Code: "DMQ", Name: "cubic decimetre", Dimension: Volume, Factor: Ratio{1, 1000}},
	{Code: "MLT", Name: "millilitre", Dimension: Volume, Factor: Ratio{1, 1_000_000}},
	{Code: "CLT", Name: "centilitre", Dimension: Volume, Factor: Ratio{1, 100_000}},
	{Code: "LTR", Name: "litre", Dimension: Volume, Factor: Ratio{1, 1000}},
	{Code: "HLT", Name: "hectolitre", Dimension: Volume, Factor: Ratio{1, 10}},
	{Code: "INQ", Name: "cubic inch", Dimension: Volume, Factor: Ratio{16_387_064, 1_000_000_000_000}},
	{Code: "FTQ", Name: "cubic foot", Dimension: Volume, Factor: Ratio{28_316_846_592, 1_000_000_000_000}},
	{Code: "YDQ", Name: "cubic yard", Dimension: Volume, Factor: Ratio{764_554_857_984, 1_000_000_000_000}},
	{Code: "OZA", Name: "fluid ounce (US)", Dimension: Volume, Factor: Ratio{295_735_295_625, 10_000_000_000_000_000}},
	{Code: "PTL", Name: "liquid pint (US)", Dimension: Volume, Factor: Ratio{473_176_473, 1_000_000_000_000}},
	{Code: "QTL", Name: "liquid quart (US)", Dimension: Volume, Factor: Ratio{946_352_946, 1_000_000_000_000}},
	{Code: "GLL", Name: "gallon (US)", Dimension: Volume, Factor: Ratio{3_785_411_784, 1_000_000_000_000}},
	{Code: "BLL", Name: "barrel (US)", Dimension: Volume, Factor: Ratio{42 * 3_785_411_784, 1_000_000_000_000}},
	{Code: "OZI", Name: "fluid ounce (UK)", Dimension: Volume, Factor: Ratio{284_130_625, 10_000_000_000_000}},
	{Code: "PTI", Name: "pint (UK)", Dimension: Volume, Factor: Ratio{56_826_125, 100_000_000_000}},
	{Code: "GLI", Name: "gallon (UK)", Dimension: Volume, Factor: Ratio{454_609, 100_000_000}},

	{Code: "SEC", Name: "second [unit of time]", Dimension: Duration, Factor: Ratio{1, 1}},
	{Code: "MIN", Name: "minute [unit of time]", Dimension: Duration, Factor: Ratio{60, 1}},
	{Code: "HUR", Name: "hour", Dimension: Duration, Factor: Ratio{3600, 1}},
	{Code: "DAY", Name: "day", Dimension: Duration, Factor: Ratio{86_400, 1}},
	{Code: "WEE", Name: "week", Dimension: Duration, Factor: Ratio{604_800, 1}},

	{Code: "KEL", Name: "kelvin", Dimension: Temperature, Factor: Ratio{1, 1}},
	{Code: "CEL", Name: "degree Celsius", Dimension: Temperature, Factor: Ratio{1, 1}, Offset: MustParse("273.15")},
	{Code: "FAH", Name: "degree Fahrenheit", Dimension: Temperature, Factor: Ratio{5, 9}, Offset: MustParse("459.67")},

	{Code: "SET", Name: "set"},
	{Code: "KT", Name: "kit"},

	{Code: "BE", Name: "bundle", Packaging: true},
	{Code: "BG", Name: "bag", Packaging: true},
	{Code: "BX", Name: "box", Packaging: true},
	{Code: "CR", Name: "crate", Packaging: true},
	{Code: "CS", Name: "case", Packaging: true},
	{Code: "CT", Name: "carton", Packaging: true},
	{Code: "DR", Name: "drum", Packaging: true},
	{Code: "PA", Name: "packet", Packaging: true},
	{Code: "PC", Name: "parcel", Packaging: true},
	{Code: "PG", Name: "plate", Packaging: true},
	{Code: "PK", Name: "package", Packaging: true},
	// Recommendation 21 says pail, X12 and many warehouses say pallet: the item's ratio is what counts.
	{Code: "PL", Name: "pail or pallet", Packaging: true},
	{Code: "PX", Name: "pallet", Packaging: true},
	{Code: "RL", Name: "reel", Packaging: true},
	{Code: "RO", Name: "roll", Packaging: true},
	{Code: "SA", Name: "sack", Packaging: true},
	{Code: "ST", Name: "sheet", Packaging: true},
})

func table(list []UnitInfo) map[string]UnitInfo {
	m := make(map[string]UnitInfo, len(list))
	for _, u := range list {
		m[u.Code] = u
	}
	return m
}
