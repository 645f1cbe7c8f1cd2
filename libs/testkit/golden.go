package testkit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Golden fails the test when got is not what the file holds. With UPDATE=1 in the
// environment it writes the file instead.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	if updating() {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; UPDATE=1 writes it", err)
	}
	if line, a, b := firstDifference(string(want), got); line > 0 {
		t.Errorf("%s, line %d: the file has\n\t%s\nbut it should be\n\t%s\nUPDATE=1 writes it anew", file, line, a, b)
	}
}

// GoldenSection is Golden for the part of a document that stands between the lines
// <!-- name --> and <!-- /name -->.
func GoldenSection(t testing.TB, file, name, got string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok1 := strings.Cut(string(content), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no section between %s and %s", file, strings.TrimSpace(begin), end)
	}
	if updating() {
		if err := os.WriteFile(file, []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if line, a, b := firstDifference(have, got); line > 0 {
		t.Errorf("%s, section %s, line %d: the file has\n\t%s\nbut it should be\n\t%s\nUPDATE=1 writes it anew", file, name, line, a, b)
	}
}

func updating() bool { return os.Getenv("UPDATE") == "1" }

// firstDifference returns the number of the first line in which two texts differ, 0 for none.
func firstDifference(want, got string) (line int, a, b string) {
	if want == got {
		return 0, "", ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b = "(end)", "(end)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return i + 1, a, b
		}
	}
	return 0, "", ""
}
