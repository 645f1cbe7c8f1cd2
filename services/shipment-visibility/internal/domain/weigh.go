package domain

// Weigh gives the lines the weight of their units where every unit holds one line; where
// one holds several nobody weighed a line, and a guess would decide what it pays.
func Weigh(lines []Line, units []Unit) {
	grams := map[int]int64{}
	for _, u := range units {
		if len(u.Lines) != 1 || u.WeightGrams == 0 {
			return
		}
		grams[u.Lines[0].Number] += u.WeightGrams
	}
	for i := range lines {
		if grams[lines[i].Number] == 0 {
			return
		}
	}
	for i := range lines {
		lines[i].WeightGrams = grams[lines[i].Number]
	}
}
