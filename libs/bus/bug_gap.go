//go:build bug_gap

package bus

// follows takes any newer fact for the next one.
func follows(uint64, Fact) bool { return true }
