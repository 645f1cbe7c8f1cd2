package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// Corpus holds an aggregate type against facts of every type and age that it has stored. Its
// file is the committed record: histories, fact by fact as the bytes that the store keeps, and
// of each history the state that a fold made of it. What is in the file stays; facts that are
// new, and the states of a new fold, are appended.
type Corpus[S, F any] struct {
	Type      store.Type[S, F]
	File      string
	Known     []string     // full names of the fact types that Type.Decode reads
	Histories []History[F] // what the file must hold at least, each under a name for good
}

// History is the facts of one aggregate.
type History[F any] struct {
	Name  string
	Facts []F
}

// Check fails the test when
//   - stored bytes no longer decode, or a fact decoded and encoded again says less,
//   - a history folds to another state than the one recorded for this number of the fold,
//   - a state that is read from its snapshot folds on to another state,
//   - a known fact type, a history or a state of this fold is not in the file,
//   - a line that was in the file on main is not, or is another one.
//
// With UPDATE=1 in the environment it appends what is not in the file, and with FACTS=‹file of
// a stopped service's SQLite database› first histories of that, which real commands made.
func (c Corpus[S, F]) Check(t testing.TB) {
	t.Helper()
	found, err := c.check(t.Context(), t.TempDir(), os.Getenv("UPDATE") == "1", os.Getenv("FACTS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("%s: %s", c.File, f)
	}
	switch err := kept(t.Context(), c.File); {
	case errors.Is(err, errNoClone):
		testkit.Skip(t, "%v", err)
	case err != nil:
		t.Errorf("%s: %v", c.File, err)
	}
}

// line is one line of a corpus: a fact of a history, or the state that its facts fold to.
type line struct {
	History string `json:"history"`

	Type string          `json:"type,omitempty"`
	Data []byte          `json:"data,omitempty"` // as stored
	Fact json.RawMessage `json:"fact,omitempty"` // the same for readers

	Fold   int             `json:"fold,omitempty"`
	SHA256 string          `json:"sha256,omitempty"`
	State  json.RawMessage `json:"state,omitempty"` // what the hash is of
}

// past is a history as the file has it.
type past struct {
	name   string
	facts  []line
	states map[int]line // by number of the fold
}

// add puts a line where it belongs.
func (p *past) add(l line) error {
	switch _, twice := p.states[l.Fold]; {
	case l.Type == "" && l.SHA256 != hash(l.State):
		return fmt.Errorf("the state of fold %d has another hash", l.Fold)
	case l.Type == "" && twice:
		return fmt.Errorf("two states of fold %d", l.Fold)
	case l.Type == "":
		p.states[l.Fold] = l
	case len(p.states) > 0:
		return errors.New("a fact after the state: a history that was recorded has no more facts")
	default:
		p.facts = append(p.facts, l)
	}
	return nil
}

// corpus is what a file holds.
type corpus struct {
	pasts []*past
	added []line
}

func readCorpus(file string) (*corpus, error) {
	content, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	c := new(corpus)
	for i, text := range bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n")) {
		var l line
		if len(content) == 0 {
			break
		}
		err := json.Unmarshal(text, &l)
		if err == nil {
			err = c.put(l)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
	}
	return c, nil
}

func (c *corpus) find(name string) *past {
	for _, p := range c.pasts {
		if p.name == name {
			return p
		}
	}
	return nil
}

func (c *corpus) put(l line) error {
	p := c.find(l.History)
	if p == nil {
		p = &past{name: l.History, states: map[int]line{}}
		c.pasts = append(c.pasts, p)
	}
	return p.add(l)
}

// append adds lines that are to be written.
func (c *corpus) append(lines ...line) error {
	for _, l := range lines {
		if err := c.put(l); err != nil {
			return err
		}
	}
	c.added = append(c.added, lines...)
	return nil
}

// write appends to the file; it cannot change what is there.
func (c *corpus) write(file string) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, l := range c.added {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	if out.Len() == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(out.Bytes())
	return errors.Join(err, f.Close())
}

// check returns what is wrong; an update writes only when nothing is.
func (c Corpus[S, F]) check(ctx context.Context, folder string, update bool, database string) (found []string, err error) {
	all, err := readCorpus(c.File)
	if err != nil {
		return nil, err
	}
	if update && database != "" {
		if err := c.record(ctx, all, database); err != nil {
			return nil, err
		}
	}
	if found, err = c.declared(all, update); err != nil {
		return nil, err
	}
	histories, bad := c.stored(all)
	if found = append(found, bad...); len(found) > 0 {
		return found, nil // facts that cannot be read cannot be folded
	}
	states, err := c.fold(ctx, folder, histories)
	if err != nil {
		return nil, err
	}
	for i, p := range all.pasts {
		was, recorded := p.states[c.Type.Fold]
		switch {
		case recorded && was.SHA256 != hash(states[i]):
			found = append(found, fmt.Sprintf("history %q folds to another state (-recorded +now), which needs a new number of the fold:\n%s",
				p.name, cmp.Diff(indented(was.State), indented(states[i]))))
		case recorded:
		case update:
			err = all.append(line{History: p.name, Fold: c.Type.Fold, SHA256: hash(states[i]), State: states[i]})
		default:
			found = append(found, fmt.Sprintf("history %q has no state of fold %d; UPDATE=1 appends it", p.name, c.Type.Fold))
		}
		if err != nil {
			return nil, err
		}
	}
	if !update || len(found) > 0 {
		return found, nil
	}
	return nil, all.write(c.File)
}

// declared holds that the file has the histories of the test.
func (c Corpus[S, F]) declared(all *corpus, update bool) (found []string, err error) {
	for _, h := range c.Histories {
		lines, err := c.lines(h)
		if err != nil {
			return nil, err
		}
		switch p := all.find(h.Name); {
		case p == nil && update:
			err = all.append(lines...)
		case p == nil:
			found = append(found, fmt.Sprintf("history %q is not recorded; UPDATE=1 appends it", h.Name))
		case !slices.EqualFunc(p.facts, lines, sameFact):
			found = append(found, fmt.Sprintf("history %q was recorded with other facts, which stay: the new ones need a new name", h.Name))
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// stored reads every fact of the file, and holds that there is one of each known type.
func (c Corpus[S, F]) stored(all *corpus) (histories []History[F], found []string) {
	missing := slices.Clone(c.Known)
	for _, p := range all.pasts {
		h := History[F]{Name: p.name}
		for n, l := range p.facts {
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == l.Type })
			f, err := c.read(l)
			if err != nil {
				found = append(found, fmt.Sprintf("history %q, fact %d, %s: %v", p.name, n+1, l.Type, err))
			}
			h.Facts = append(h.Facts, f)
		}
		histories = append(histories, h)
	}
	for _, name := range missing {
		found = append(found, fmt.Sprintf("no history has a fact %s: declare one that has, UPDATE=1 appends it", name))
	}
	return histories, found
}
