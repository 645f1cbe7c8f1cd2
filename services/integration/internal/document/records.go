package document

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// csvReader groups the rows of CSV into records.
type csvReader struct {
	spec    Spec
	schema  *schema
	table   *table
	header  []column
	records int64
	bare    bool
	misread func(row) // when set, told of every row that cannot be read
}

func openCSV(spec Spec, data []byte, at domain.Place, bare bool) (*csvReader, []Error) {
	r := &csvReader{spec: spec, schema: schemas[spec.Type], table: newTable(data), bare: bare}
	head, ok := r.table.next()
	if !ok {
		return nil, []Error{{Line: 1, Reason: "EMPTY", Message: "the document has no header"}}
	}
	if head.err != nil {
		return nil, []Error{*head.err}
	}
	if errs := r.readHeader(head); len(errs) > 0 {
		return nil, errs
	}
	if at.Offset > 0 {
		r.table.pos, r.table.line, r.records = int(at.Offset), at.Line, at.Records
	}
	return r, nil
}

// readHeader finds the column of each field.
func (r *csvReader) readHeader(head row) []Error {
	known := map[string]column{}
	for _, c := range r.schema.columns {
		known[c.name] = c
	}
	var errs []Error
	refuse := func(field, reason, message string) {
		errs = append(errs, Error{Line: head.line, Field: field, Reason: reason, Message: message})
	}
	seen := map[string]bool{}
	for _, title := range head.fields {
		name := strings.ToLower(strings.TrimSpace(title))
		c, ok := known[name]
		switch {
		case !ok:
			refuse(title, "COLUMN_UNKNOWN", "documents of type "+r.spec.Type+" have no such column")
		case seen[name]:
			refuse(title, "COLUMN_TWICE", "the header names the column twice")
		}
		seen[name] = true
		r.header = append(r.header, c)
	}
	for _, c := range r.schema.columns {
		if c.need && !seen[c.name] {
			refuse(c.name, "COLUMN_MISSING", "documents of type "+r.spec.Type+" need this column")
		}
	}
	return errs
}

func (r *csvReader) Place() domain.Place { return r.table.place(r.records) }

// group is the rows of one record.
type group struct {
	record *Record
	start  int // byte
	key    []string
	rows   []values
	lines  []int64
	bad    []row // rows that cannot be read, before the first one that can
	full   bool
}

// Next reads the rows of the next record.
func (r *csvReader) Next() (Record, bool) {
	head, ok := r.table.next()
	if !ok {
		return Record{}, false
	}
	r.records++
	record := Record{Number: r.records, Line: head.line}
	g := &group{record: &record, start: head.start}
	r.add(g, head)
	for r.schema.grouped {
		pos, line := r.table.pos, r.table.line
		more, ok := r.table.next()
		if !ok {
			break
		}
		if !r.belongs(g, more) {
			r.table.pos, r.table.line = pos, line
			break
		}
		r.add(g, more)
	}
	if len(g.rows) > 0 {
		r.build(g)
	}
	record.Errors = record.Errors[:min(len(record.Errors), maxErrors)]
	for i := range record.Errors {
		record.Errors[i].Record, record.Errors[i].Key = record.Number, record.Key
	}
	return record, true
}

// add takes a row into a record.
func (r *csvReader) add(g *group, row row) {
	g.record.Rows++
	refuse := func(reason, message string) {
		g.record.Errors = append(g.record.Errors, Error{Line: row.line, Reason: reason, Message: message})
	}
	key, good := r.keyOf(row)
	if !good && r.misread != nil {
		r.misread(row)
	}
	switch {
	case g.full:
		return
	case g.record.Rows > maxRows:
		g.full = true
		refuse("RECORD_TOO_LONG", fmt.Sprintf("the record has more than %d rows", maxRows))
		return
	case row.end-g.start > maxRecord:
		g.full = true
		refuse("RECORD_TOO_LARGE", "the record is larger than 1 MiB")
		return
	}
	switch {
	case row.err != nil:
		g.record.Errors = append(g.record.Errors, *row.err)
	case len(row.fields) != len(r.header):
		refuse("FIELD_COUNT", fmt.Sprintf("the row has %d fields, the header %d", len(row.fields), len(r.header)))
	case !good:
		refuse("VALUE_MISSING", "the row does not say which record it is of: "+strings.Join(r.schema.key, " and ")+" must be there")
	}
	if !good {
		if g.key == nil {
			g.bad = append(g.bad, row)
		}
		return
	}
	if g.key == nil {
		g.key, g.record.key, g.record.Key = key, key, join(key...)
	}
	if r.bare {
		return
	}
	v := make(values, len(row.fields))
	for i, c := range r.header {
		if text := strings.TrimSpace(row.fields[i]); text != "" {
			v[c.name] = text
		}
	}
	g.rows, g.lines = append(g.rows, v), append(g.lines, row.line)
}

// keyOf returns what names the record of a row; false when the row cannot be read.
func (r *csvReader) keyOf(row row) ([]string, bool) {
	if row.err != nil || len(row.fields) != len(r.header) {
		return nil, false
	}
	key := make([]string, len(r.schema.key))
	for i, c := range r.header {
		if at := slices.Index(r.schema.key, c.name); at >= 0 {
			key[at] = strings.TrimSpace(row.fields[i])
		}
	}
	return key, !slices.Contains(key, "")
}

// belongs reports whether a row is of a record. One that cannot be read is of the records
// beside it that it may be of: an order without one of its lines must not be handed over.
func (r *csvReader) belongs(g *group, more row) bool {
	key, good := r.keyOf(more)
	switch {
	case !good && g.key != nil:
		return r.mayBeOf(more, g.key)
	case !good:
		return len(g.bad) < maxErrors
	case g.key != nil:
		return slices.Equal(key, g.key)
	}
	return slices.ContainsFunc(g.bad, func(bad row) bool { return r.mayBeOf(bad, key) })
}

// mayBeOf reports whether a row that cannot be read may be of the record with the key: its
// text has the key in it, or it is a whole row that lacks one.
func (r *csvReader) mayBeOf(bad row, key []string) bool {
	if bad.err == nil && len(bad.fields) == len(r.header) {
		return true
	}
	for _, part := range key {
		if !bytes.Contains(r.table.data[bad.start:bad.end], []byte(part)) {
			return false
		}
	}
	return true
}

// build makes the message of a record from its rows.
func (r *csvReader) build(g *group) {
	record, m := g.record, r.schema.message()
	var elements []int64 // line of each element of the list that rows fill
	record.locate = func(path string) (int64, string) { return r.locate(path, record.Line, elements) }
	for i, row := range g.rows {
		var element protoreflect.Message
		next := func(list protoreflect.List) protoreflect.Message {
			if element == nil {
				element = list.AppendMutable().Message()
				elements = append(elements, g.lines[i])
			}
			return element
		}
		for _, c := range r.header {
			reason, message := fill(m, c, row, g.rows[0], i == 0, next)
			if reason != "" {
				record.Errors = append(record.Errors, Error{Line: g.lines[i], Field: c.name, Reason: reason, Message: message})
			}
		}
	}
	record.Message = m
	if r.schema.finish != nil {
		r.schema.finish(m, g.rows)
	}
	complete(record, r.spec)
	check(record)
}

// fill writes the value of one column of a row into the message, or says what is wrong.
func fill(m proto.Message, c column, row, first values, isFirst bool, next func(protoreflect.List) protoreflect.Message) (reason, message string) {
	value := row[c.name]
	switch {
	case value == "":
		return "", ""
	case !isFirst && !c.ofRow && value != first[c.name]: // what a record has once is taken from its first row
		return "VALUE_DIFFERS", fmt.Sprintf("%q here, %q in the record's first row", value, first[c.name])
	case c.path == "" || !isFirst && !c.ofRow:
		return "", ""
	}
	if err := set(m, c.path, value, row[c.currency], next); err != nil {
		return "VALUE_INVALID", err.Error()
	}
	return "", ""
}

var index = regexp.MustCompile(`\[(\d+)\]`)

// locate finds the row and column that fill the field at a path of a record's message.
func (r *csvReader) locate(path string, line int64, elements []int64) (int64, string) {
	if path == "" {
		return line, ""
	}
	if at := index.FindStringSubmatch(path); at != nil {
		general := index.ReplaceAllString(path, "[]")
		if i, err := strconv.Atoi(at[1]); err == nil && i < len(elements) && r.fillsRows(general) {
			line = elements[i]
		}
		path = general
	}
	for _, c := range r.header {
		if c.path == path || c.path+"[]" == path {
			return line, c.name
		}
	}
	if strings.HasSuffix(path, "[]") { // the row as such
		return line, ""
	}
	for _, c := range r.header { // a part of it, or the whole that it is a part of
		if c.path != "" && (strings.HasPrefix(c.path, path+".") || strings.HasPrefix(path, c.path+".") || strings.HasPrefix(path, c.path+"[]")) {
			return line, c.name
		}
	}
	if strings.HasPrefix(path, "identifiers") {
		return line, r.identifierColumn()
	}
	return line, path
}

// identifierColumn is the column that the document names identifiers in.
func (r *csvReader) identifierColumn() string {
	for _, c := range r.header {
		if c.name == "identifier_value" {
			return c.name
		}
	}
	return "gtin"
}

// fillsRows reports whether the path is in the list that rows fill.
func (r *csvReader) fillsRows(path string) bool {
	list, _, _ := strings.Cut(path, "[]")
	for _, c := range r.schema.columns {
		if strings.HasPrefix(c.path, list+"[]") {
			return true
		}
	}
	return false
}

// Columns returns the columns of a document type in their order, with whether each must be
// there: what a sender is told.
func Columns(documentType string) (names []string, need []bool) {
	for _, c := range schemas[documentType].columns {
		names, need = append(names, c.name), append(need, c.need)
	}
	return names, need
}
