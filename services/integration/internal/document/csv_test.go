package document

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// rowsOf reads all rows.
func rowsOf(data string) (rows []row) {
	t := newTable([]byte(data))
	for {
		r, ok := t.next()
		if !ok {
			return rows
		}
		rows = append(rows, r)
	}
}

func TestTable(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for name, tt := range map[string]struct {
		data string
		want string // rows a line: fields between bars, or line:position reason
	}{
		"plain":                    {"a,b\n1,2\n", "a|b\n1|2"},
		"semicolons":               {"a;b;c,d\n1;2,5;3", "a|b|c,d\n1|2,5|3"},
		"BOM and CRLF":             {"\ufeffa,b\r\n1,2\r\n", "a|b\n1|2"},
		"empty lines and fields":   {"\n\r\na,\n\n,b\n", "a|\n|b"},
		"quotes":                   {`"a ""b""",",",""` + "\n", `a "b"|,|`},
		"line break in quotes":     {"\"a\nb\",c\n1,2\n", "a\nb|c\n1|2"},
		"quote never closed":       {"a,b\n1,\"2\n3,4\n", "a|b\n2:3 QUOTE_UNBALANCED\n3|4"},
		"quote inside a field":     {"a,b\n1,2\"3\n3,4\n", "a|b\n2:4 QUOTE_MISPLACED\n3|4"},
		"something behind a quote": {"a,b\n\"1\" ,2\n3,4\n", "a|b\n2:4 QUOTE_MISPLACED\n3|4"},
		"stray quotes on two lines": {
			"a,b\n1,\"2\n3,\"4\n5,6\n", "a|b\n3:4 QUOTE_MISPLACED\n3:3 QUOTE_UNBALANCED\n5|6",
		},
		"long row":          {"a,b\n" + long + ",2\n3,4\n", "a|b\n2:1 LINE_TOO_LONG\n3|4"},
		"long quoted row":   {"a,b\n\"" + long + "\",2\n3,4\n", "a|b\n2:1 QUOTE_UNBALANCED\n3|4"},
		"too many columns":  {"a\n" + strings.Repeat(",", maxColumns) + "\nb\n", "a\n2:513 TOO_MANY_COLUMNS\nb"},
		"most columns":      {strings.Repeat(",", maxColumns-1) + "\nb\n", strings.Repeat("|", maxColumns-1) + "\nb"},
		"characters":        {"ä,b\n\"äö\"x,1\n", "ä|b\n2:5 QUOTE_MISPLACED"},
		"lone CR":           {"a\rb,c\n", "a\rb|c"},
		"end without break": {"a,b", "a|b"},
		"nothing":           {"", ""},
	} {
		var got []string
		for _, r := range rowsOf(tt.data) {
			if r.err != nil {
				got = append(got, strings.TrimPrefix(r.err.Place(), "line ")+" "+r.err.Reason)
			} else {
				got = append(got, strings.Join(r.fields, "|"))
			}
		}
		if text := strings.Join(got, "\n"); text != tt.want {
			t.Errorf("%s: got\n%.300s\nwant\n%.300s", name, text, tt.want)
		}
	}
}

// FuzzTable holds the reader against encoding/csv, and against what it says of itself: it
// comes to an end, rows follow one another without a gap, and lines are counted.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\nb\";c\r\n\n1;\"\"\"\"", "\ufeffx,\"y\"z\n\"", ",,\n\"\r\n\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table := newTable(data)
		var all [][]string
		broken := false
		end := table.pos
		for {
			r, ok := table.next()
			if !ok {
				break
			}
			if gap := data[end:r.start]; len(bytes.Trim(gap, "\r\n")) > 0 || r.end <= r.start {
				t.Fatalf("row %d–%d after %d", r.start, r.end, end)
			}
			if want := 1 + int64(bytes.Count(data[:r.start], []byte{'\n'})); r.line != want {
				t.Fatalf("a row of line %d is said to be of %d", want, r.line)
			}
			broken = broken || r.err != nil
			all = append(all, r.fields)
			end = r.end
		}
		if rest := data[end:]; len(bytes.Trim(rest, "\r\n")) > 0 {
			t.Fatalf("%q was not read", rest)
		}
		want, err := standard(data, rune(table.sep))
		switch {
		case bytes.ContainsRune(data, '\r'), len(data) > maxLine: // where the two differ on purpose
		case errors.Is(err, io.EOF):
		case (err != nil) != broken:
			t.Fatalf("%q: broken: %t; encoding/csv: %v", data, broken, err)
		case err == nil && !slices.EqualFunc(all, want, slices.Equal):
			t.Fatalf("%q: got %q, want %q", data, all, want)
		}
	})
}

func standard(data []byte, sep rune) ([][]string, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, bom)))
	r.Comma, r.FieldsPerRecord = sep, -1
	return r.ReadAll()
}

func TestCorpusIsCommitted(t *testing.T) {
	for _, target := range []string{"FuzzTable", "FuzzRecords"} {
		files, err := os.ReadDir("testdata/fuzz/" + target)
		if err != nil || len(files) < 5 {
			t.Errorf("%s: %d seeds, %v", target, len(files), err)
		}
	}
}
