package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGolden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "x.txt")
	t.Setenv("UPDATE", "1")
	Golden(t, file, "a\nb\n")
	t.Setenv("UPDATE", "")
	Golden(t, file, "a\nb\n")
	rec := &recorder{TB: t}
	Golden(rec, file, "a\nc\n")
	if !rec.failed {
		t.Fatal("a difference passes")
	}
}

func TestGoldenSection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec := &recorder{TB: t}
	GoldenSection(rec, file, "x", "new\n")
	if !rec.failed {
		t.Fatal("a difference passes")
	}
	t.Setenv("UPDATE", "1")
	GoldenSection(t, file, "x", "new\n")
	t.Setenv("UPDATE", "")
	GoldenSection(t, file, "x", "new\n")
	if b, _ := os.ReadFile(file); string(b) != "before\n<!-- x -->\nnew\n<!-- /x -->\nafter\n" {
		t.Fatalf("%s", b)
	}
}
