package domain

import "strconv"

// path names an element of a repeated field as errors do: "lines[2]".
func path(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }
