//go:build !bug_gap

package bus

// follows reports that f is the next fact after the revision applied.
func follows(applied uint64, f Fact) bool {
	if f.Index > 0 {
		return applied == f.Version<<16|uint64(f.Index-1)
	}
	return f.Previous == applied>>16 && (applied == 0 || applied&whole == whole)
}
