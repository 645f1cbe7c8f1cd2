package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// moved is a fact in protobuf's bytes, trail what it folds to.
type moved = *commonv1.Address

type trail struct {
	Cities []string       `bson:"c,omitempty"`
	Visits map[string]int `bson:"v,omitempty"`
	last   string         // lost from snapshots
}

const movedType = "lockstep.common.v1.Address"

func trailType() store.Type[trail, moved] {
	return store.Type[trail, moved]{
		Name: "trail", Prefix: "trl", Fold: 1,
		Evolve: func(s trail, f moved) trail {
			visits := map[string]int{f.City: s.Visits[f.City] + 1}
			for city, n := range s.Visits {
				if city != f.City {
					visits[city] = n
				}
			}
			return trail{Cities: append(s.Cities[:len(s.Cities):len(s.Cities)], f.City), Visits: visits}
		},
		Encode: func(f moved) (string, []byte, error) {
			data, err := proto.Marshal(f)
			return movedType, data, err
		},
		Decode: func(name string, data []byte) (moved, error) {
			f := new(commonv1.Address)
			if name != movedType {
				return nil, fmt.Errorf("%s is unknown", name)
			}
			return f, proto.Unmarshal(data, f)
		},
	}
}

type trails = Corpus[trail, moved]

func trailsIn(file string) trails {
	return trails{Type: trailType(), File: file, Known: []string{movedType}, Histories: []History[moved]{
		{"there and back", []moved{{City: "Gary", Lines: []string{"1 Main St"}}, {City: "Addison"}, {City: "Gary", Country: "US"}}},
		{"one way", []moved{{City: "Hamburg"}}},
	}}
}

// said is all that a check has to say, in one text.
func said(t *testing.T, c trails, update bool) string {
	t.Helper()
	found, err := c.check(t.Context(), t.TempDir(), update, "")
	if err != nil {
		found = append(found, err.Error())
	}
	return strings.Join(found, "\n")
}

// recordedTrails is a corpus that holds, and its file's content.
func recordedTrails(t *testing.T) (trails, string) {
	t.Helper()
	c := trailsIn(filepath.Join(t.TempDir(), "facts", "trail.jsonl"))
	if got := said(t, c, true); got != "" {
		t.Fatal(got)
	}
	return c, content(t, c.File)
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func replace(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCorpusFindsWhatChanged breaks one thing at a time. None of it is mended by an update,
// which must leave the file alone.
func TestCorpusFindsWhatChanged(t *testing.T) {
	decoded := func(change func(moved)) func(*trails) {
		return func(c *trails) {
			whole := c.Type.Decode
			c.Type.Decode = func(name string, data []byte) (moved, error) {
				f, err := whole(name, data)
				change(f)
				return f, err
			}
		}
	}
	inFile := func(old, with string) func(*trails) {
		return func(c *trails) {
			was := content(t, c.File)
			if !strings.Contains(was, old) {
				t.Fatalf("no %q in\n%s", old, was)
			}
			replace(t, c.File, strings.Replace(was, old, with, 1))
		}
	}
	for name, b := range map[string]struct {
		change func(*trails)
		want   string
	}{
		"another meaning of the fold": {func(c *trails) {
			whole := c.Type.Evolve
			c.Type.Evolve = func(s trail, f moved) trail {
				s = whole(s, f)
				delete(s.Visits, "Addison")
				return s
			}
		}, "folds to another state"},
		"a type without a fact": {func(c *trails) { c.Known = append(c.Known, "x.Sung") }, "no history has a fact x.Sung"},
		"bytes that no longer decode": {func(c *trails) {
			c.Type.Decode = func(string, []byte) (moved, error) { return nil, errors.New("cannot be read") }
		}, "fact 1, lockstep.common.v1.Address: cannot be read"},
		"a lost field":                {decoded(func(f moved) { f.Country = "" }), "country: US becomes"},
		"a lost entry":                {decoded(func(f moved) { f.Lines = nil }), "lines: 1 entries become 0"},
		"a type that is not known":    {func(c *trails) { c.Known = nil }, "not among the known types"},
		"other facts under one name":  {func(c *trails) { c.Histories[1].Facts[0] = &commonv1.Address{City: "Kiel"} }, `"one way" was recorded with other facts`},
		"tampered bytes":              {inFile(`"data":"`, `"data":"EgR0ZXN0`), "its text says something else than its bytes"},
		"a tampered state":            {inFile(`"Hamburg":1`, `"Hamburg":2`), "the state of fold 1 has another hash"},
		"a tampered hash":             {inFile(`"sha256":"`, `"sha256":"0`), "the state of fold 1 has another hash"},
		"a fact after the state":      {func(c *trails) { was := content(t, c.File); replace(t, c.File, was+was) }, "a fact after the state"},
		"a state that forgets itself": {func(c *trails) { c.Type.Evolve = forgetful }, "a state read from its snapshot folds on to another one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := recordedTrails(t)
			b.change(&c)
			before := content(t, c.File)
			for _, update := range []bool{false, true} {
				if got := said(t, c, update); !strings.Contains(got, b.want) {
					t.Errorf("update %v: got %q, want %q", update, got, b.want)
				}
			}
			if content(t, c.File) != before {
				t.Error("the file was written")
			}
		})
	}
}

func forgetful(s trail, f moved) trail {
	if s.last != "" {
		s.Cities = append(s.Cities[:len(s.Cities):len(s.Cities)], s.last)
	}
	s.last = f.City
	return s
}

// TestCorpusOnlyGrows: what is new is asked for, and an update appends it.
func TestCorpusOnlyGrows(t *testing.T) {
	c, was := recordedTrails(t)
	if got := said(t, c, false); got != "" {
		t.Fatal("what was just recorded does not hold: ", got)
	}
	c.Histories = append(c.Histories, History[moved]{"home", []moved{{City: "Bonn"}}})
	whole := c.Type.Evolve
	c.Type.Fold = 2
	c.Type.Evolve = func(s trail, f moved) trail {
		if s = whole(s, f); len(s.Cities) > 1 {
			s.Cities = s.Cities[1:]
		}
		return s
	}
	if got := said(t, c, false); !strings.Contains(got, `history "home" is not recorded`) {
		t.Error(got)
	}
	if got := said(t, c, true); got != "" {
		t.Fatal(got)
	}
	now := content(t, c.File)
	if !strings.HasPrefix(now, was) || strings.Count(now, `"fold":2`) != 3 {
		t.Errorf("it became\n%s", now)
	}
	if got := said(t, c, false); got != "" {
		t.Error(got)
	}
	c.Type.Fold = 3
	if got := said(t, c, false); strings.Count(got, "has no state of fold 3") != 3 {
		t.Error(got)
	}
}

// TestCorpusKeepsWhatMainHas compares with git. That a file holds by itself is not enough:
// one that is recorded anew does.
func TestCorpusKeepsWhatMainHas(t *testing.T) {
	c, was := recordedTrails(t)
	folder := filepath.Dir(filepath.Dir(c.File))
	run := func(args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "commit.gpgsign=false"}, args...)
		if _, err := git(t.Context(), folder, args...); err != nil {
			t.Fatal(err)
		}
	}
	commit := func() { t.Helper(); run("add", "-A"); run("commit", "-q", "-m", "x") }
	want := func(when, text string) {
		t.Helper()
		switch err := kept(t.Context(), c.File); {
		case text == "" && err != nil, text != "" && (err == nil || !strings.Contains(err.Error(), text)):
			t.Errorf("%s: got %v, want %q", when, err, text)
		}
	}
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(folder))
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), "elsewhere")) // as in a hook
	if err := kept(t.Context(), c.File); !errors.Is(err, errNoClone) {
		t.Errorf("outside of a clone: %v", err)
	}
	run("init", "-q", "-b", "main")
	replace(t, filepath.Join(folder, "README"), "x")
	run("add", "README")
	run("commit", "-q", "-m", "x")
	want("recorded, not yet committed", "")
	commit()
	want("as it is on main", "")

	c.Histories = append(c.Histories, History[moved]{"home", []moved{{City: "Bonn"}}})
	if got := said(t, c, true); got != "" {
		t.Fatal(got)
	}
	want("grown", "")

	replace(t, c.File, "")
	c.Histories = []History[moved]{{"there and back", []moved{{City: "Essen"}}}}
	if got := said(t, c, true); got != "" {
		t.Fatal("recorded anew: ", got)
	}
	want("recorded anew", "was changed, from line 1 on")
	run("checkout", "-q", "-b", "branch")
	commit()
	want("recorded anew on a branch", "was changed, from line 1 on")
	run("checkout", "-q", "main")
	run("merge", "-q", "branch")
	want("recorded anew and merged", "was changed, from line 1 on")
	replace(t, c.File, strings.Join(strings.SplitAfter(was, "\n")[:2], ""))
	want("cut", "was changed, from line 3 on")
	if err := os.RemoveAll(filepath.Dir(c.File)); err != nil {
		t.Fatal(err)
	}
	commit()
	want("taken away", "was changed, from line 1 on")
	if err := os.Mkdir(filepath.Dir(c.File), 0o700); err != nil {
		t.Fatal(err)
	}
	replace(t, c.File, was)
	want("put back", "")
}

// TestCorpusFromADatabase takes the histories that commands made.
func TestCorpusFromADatabase(t *testing.T) {
	folder := t.TempDir()
	db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + folder, Database: "stocks"}, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	stocks := store.Register(db, Type(1))
	for id, takes := range map[string]int{"stk_a": 1, "stk_b": 2, "stk_c": 0, "stk_d": recordFacts} {
		if _, err := stocks.Update(As(t.Context(), "t", "open"), id, Open("DC1", 100, time.Time{})); err != nil {
			t.Fatal(err)
		}
		for i := range takes {
			if _, err := stocks.Update(As(t.Context(), "t", fmt.Sprint(i)), id, Take("bob", 1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	c := Corpus[Stock, Fact]{Type: Type(1), File: filepath.Join(t.TempDir(), "stock.jsonl"), Known: []string{"storetest.Opened", "storetest.Took"}}
	for range 2 { // the second time there is nothing to learn
		if found, err := c.check(t.Context(), t.TempDir(), true, filepath.Join(folder, "stocks.db")); err != nil || len(found) > 0 {
			t.Fatal(found, err)
		}
	}
	text := content(t, c.File)
	if !strings.Contains(text, `"t/stk_b"`) || strings.Count(text, "\n") != 4 || !strings.Contains(text, `"h":98`) {
		t.Errorf("recorded\n%s", text)
	}
}
