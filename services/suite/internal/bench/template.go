package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/ident"
)

// template is everything that one walked order left in the databases but for what it shares
// with others, its stock: commits, snapshots, the tower's rows. Copies of it are orders of
// their own: whatever names the order is replaced by a name of the same length, receipts are
// found under the new keys, and commits name their new predecessors.
type template struct {
	tokens []token
	docs   []document
}

// token is a name that a copy replaces.
type token struct {
	old  string
	kind string         // how the new one is made: number, id, normal, sscc, hash, half, text or digest
	of   int            // normal, half: the token that it is made of; sscc: which of the order's
	text string         // hash: what is hashed; text: what is encoded
	in   []substitution // hash and text: the names in text
}

type substitution struct{ at, token int }

// document is a document of a template.
type document struct {
	db, collection string // the database without its prefix
	raw            bson.Raw
	in             []substitution
	agg            string // tenant/id of a commit or snapshot
	version        int64
	parent         int // where the hash of its predecessor, or of its last commit, is
}

// owned are the aggregates that are one order's alone, by the prefix of their ids.
var owned = []string{"ord", "who", "shp", "frt", "inv", "rtb"}

var serialCode = regexp.MustCompile(`[0-9]{18}`)

// readTemplate collects what the order of a number left in the databases under a prefix.
func readTemplate(ctx context.Context, client *mongo.Client, prefix, number string) (*template, error) {
	all, err := readAll(ctx, client, prefix)
	if err != nil {
		return nil, err
	}
	t := &template{tokens: []token{{old: number, kind: "number"}}}
	names := []string{number}
	mine := func(raw bson.Raw) bool {
		return slices.ContainsFunc(names, func(n string) bool { return bytes.Contains(raw, []byte(n)) })
	}
	for before := 0; before != len(names); {
		before = len(names)
		for _, d := range all {
			_, id, _ := strings.Cut(d.agg, "/")
			kind, _, _ := strings.Cut(id, "_")
			if strings.HasPrefix(d.collection, "state_") && slices.Contains(owned, kind) && !slices.Contains(names, id) && mine(d.raw) {
				names = append(names, id)
			}
		}
	}
	for _, d := range all {
		_, id, _ := strings.Cut(d.agg, "/")
		row := strings.HasPrefix(d.collection, "rows_trace_") || d.collection == "rows_bus_applied"
		if slices.Contains(names, id) || row && mine(d.raw) {
			t.docs = append(t.docs, d)
		}
	}
	for _, id := range names[1:] {
		t.add(token{old: id, kind: "id"})
		t.add(token{old: normal(id), kind: "normal", of: t.index(id)})
	}
	if err := t.complete(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(t.docs, func(a, b document) int { // commits in order, then their snapshot
		if c := strings.Compare(a.agg, b.agg); c != 0 {
			return c
		}
		if a.collection != b.collection {
			return strings.Compare(a.collection, b.collection) // "commits" before "state_…"
		}
		return int(a.version - b.version)
	})
	for i := range t.docs {
		t.docs[i].in = t.find(t.docs[i].raw)
	}
	if len(names) != 1+len(owned) {
		return nil, fmt.Errorf("order %s left the aggregates %v", number, names)
	}
	return t, nil
}

// complete adds the names that are not aggregates: receipts' hashes, serial numbers of cartons
// and ids of the tower's rows.
func (t *template) complete() error {
	cartons := 0
	for _, d := range t.docs {
		for _, code := range serialCode.FindAll(d.raw, -1) {
			if _, err := gs1.ParseSSCC(string(code)); err == nil && t.index(string(code)) < 0 {
				t.add(token{old: string(code), kind: "sscc", of: cartons})
				cartons++
			}
		}
	}
	for _, d := range t.docs {
		id, _ := d.raw.Lookup("_id").StringValueOK()
		switch _, row, _ := strings.Cut(id, "/"); {
		case strings.HasPrefix(row, "f/"):
			t.add(token{old: row[strings.LastIndex(row, "/")+1:], kind: "digest"})
		case strings.HasPrefix(row, "k/"):
			encoded := row[strings.LastIndex(row, "|")+1:]
			text, err := base64.RawURLEncoding.DecodeString(encoded)
			if err != nil {
				return fmt.Errorf("row %s: %w", id, err)
			}
			t.add(token{old: encoded, kind: "text", text: string(text), in: t.find(text)})
		case d.collection == "commits":
			if err := t.receipts(d.raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// receipts adds the hashes under which the receipts of a commit are found.
func (t *template) receipts(raw bson.Raw) error {
	var c struct {
		Receipts []struct {
			Hash      bson.Binary `bson:"h"`
			Key       string      `bson:"k"`
			Derived   bool        `bson:"d"`
			Principal string      `bson:"pr"`
		} `bson:"r"`
	}
	if err := bson.Unmarshal(raw, &c); err != nil {
		return err
	}
	for _, r := range c.Receipts {
		scope := "c\x00" + r.Principal + "\x00" + r.Key
		if r.Derived {
			scope = "d\x00" + r.Key
		}
		if sum := sha256.Sum256([]byte(scope)); !bytes.Equal(sum[:16], r.Hash.Data) {
			return fmt.Errorf("the receipt of %q is not found under its key", r.Key)
		}
		t.add(token{old: string(r.Hash.Data), kind: "hash", text: scope, in: t.find([]byte(scope))})
		t.add(token{old: string(r.Hash.Data[:8]), kind: "half", of: t.index(string(r.Hash.Data))}) // in the snapshot
	}
	return nil
}

func (t *template) index(old string) int {
	return slices.IndexFunc(t.tokens, func(x token) bool { return x.old == old })
}

func (t *template) add(x token) {
	if t.index(x.old) < 0 {
		t.tokens = append(t.tokens, x)
	}
}

// find returns where the names are in a text.
func (t *template) find(text []byte) []substitution {
	var out []substitution
	for i, x := range t.tokens {
		for at := 0; ; at += len(x.old) {
			next := bytes.Index(text[at:], []byte(x.old))
			if next < 0 {
				break
			}
			at += next
			out = append(out, substitution{at, i})
		}
	}
	return out
}

// names makes the names of the n-th copy.
func (t *template) names(n int) ([]string, error) {
	out := make([]string, len(t.tokens))
	for i, x := range t.tokens {
		switch x.kind {
		case "number":
			out[i] = seededNumber(n)
		case "id":
			kind, _, _ := strings.Cut(x.old, "_")
			out[i] = ident.Derive(kind, seededNumber(n), x.old)
		case "normal":
			out[i] = normal(out[x.of])
		case "sscc":
			code, err := gs1.SSCC("4012345", 7, uint64(100*n+x.of))
			if err != nil {
				return nil, err
			}
			out[i] = code
		case "hash":
			sum := sha256.Sum256(replaced([]byte(x.text), x.in, out))
			out[i] = string(sum[:16])
		case "half":
			out[i] = out[x.of][:8]
		case "text":
			out[i] = base64.RawURLEncoding.EncodeToString(replaced([]byte(x.text), x.in, out))
		case "digest":
			sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", n, x.old))
			out[i] = base64.RawURLEncoding.EncodeToString(sum[:])[:len(x.old)]
		}
		if len(out[i]) != len(x.old) {
			return nil, fmt.Errorf("%q cannot take the place of %q", out[i], x.old)
		}
	}
	return out, nil
}

// templateNumber and seededNumber are order numbers of one length.
func templateNumber(n int) string { return fmt.Sprintf("T%09d", n) }
func seededNumber(n int) string   { return fmt.Sprintf("S%09d", n) }

func replaced(text []byte, in []substitution, names []string) []byte {
	out := bytes.Clone(text)
	for _, s := range in {
		copy(out[s.at:], names[s.token])
	}
	return out
}

// normal is the form under which the tower finds a number.
func normal(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// readAll reads what orders leave in the databases under a prefix.
func readAll(ctx context.Context, client *mongo.Client, prefix string) ([]document, error) {
	dbs, err := client.ListDatabaseNames(ctx, bson.D{{Key: "name", Value: bson.D{{Key: "$regex", Value: "^" + prefix}}}})
	if err != nil {
		return nil, err
	}
	var out []document
	for _, db := range dbs {
		collections, err := client.Database(db).ListCollectionNames(ctx, bson.D{})
		if err != nil {
			return nil, err
		}
		for _, c := range collections {
			if c != "commits" && !strings.HasPrefix(c, "state_") && !strings.HasPrefix(c, "rows_") {
				continue
			}
			cursor, err := client.Database(db).Collection(c).Find(ctx, bson.D{})
			if err != nil {
				return nil, err
			}
			for cursor.Next(ctx) {
				d := document{db: strings.TrimPrefix(db, prefix), collection: c, raw: bytes.Clone(cursor.Current)}
				if !strings.HasPrefix(c, "rows_") {
					d.agg, _ = d.raw.Lookup("_id").StringValueOK()
					if c == "commits" {
						d.agg, _ = d.raw.Lookup("a").StringValueOK()
					}
					d.version, _ = d.raw.Lookup("v").AsInt64OK()
					d.parent, err = offset(d.raw, "p")
				}
				if err != nil {
					return nil, errors.Join(err, cursor.Close(ctx))
				}
				out = append(out, d)
			}
			if err := errors.Join(cursor.Err(), cursor.Close(ctx)); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// offset returns where the value of a key is in a document.
func offset(raw bson.Raw, key string) (int, error) {
	elements, err := raw.Elements()
	at := 4
	for _, e := range elements {
		if e.Key() == key {
			return at + 2 + len(key), nil
		}
		at += len(e)
	}
	return 0, errors.Join(err, fmt.Errorf("no %q in a document", key))
}
