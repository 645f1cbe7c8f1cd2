// Package adapter joins the control tower to the outside: it reads facts of any service by
// the options of their protos, keeps them as rows under their business keys, and answers
// traces and searches from these rows.
package adapter

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
)

// mostFigures bounds the quantities and the amounts of a step; the fact itself stays whole
// with its owner.
const mostFigures = 200

// said is what a fact says, as far as the story tells it.
type said struct {
	keys       []*controltowerv1.BusinessKey
	quantities []*controltowerv1.StepQuantity
	amounts    []*controltowerv1.StepAmount
	details    []*controltowerv1.StepDetail
	claims     []*controltowerv1.StepClaim
	happened   time.Time
	omitted    bool
}

// read reads a fact; false when this binary does not know its type or cannot read it.
func read(factType string, data []byte) (said, bool) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(factType))
	if err != nil {
		return said{}, false
	}
	m := t.New()
	if err := proto.Unmarshal(data, m.Interface()); err != nil {
		return said{}, false
	}
	s := extract(m)
	s.claims = claimsOf(m.Interface())
	return s, true
}

// extract collects what a message says.
func extract(m protoreflect.Message) said {
	r := reader{seen: map[string]bool{}}
	r.message(m, place{})
	var s said
	s.keys, s.details = r.keys, r.details
	s.quantities = nearest(r.quantities)
	for _, q := range s.quantities {
		if q.GetQuantity().GetUnit() == "" {
			q.Quantity.Unit = r.unit
		}
	}
	s.amounts = nearest(r.amounts)
	if len(s.quantities) > mostFigures {
		s.quantities, s.omitted = s.quantities[:mostFigures], true
	}
	if len(s.amounts) > mostFigures {
		s.amounts, s.omitted = s.amounts[:mostFigures], true
	}
	for _, name := range happened {
		if at, ok := r.times[name]; ok {
			s.happened = at
			break
		}
	}
	return s
}

// happened are the fields that say when what a fact tells of took place, the most telling
// first. Deadlines, dates of documents and times yet to come are not among them.
var happened = []protoreflect.Name{
	"event_time", "issued_time", "dispatched_time", "delivered_time", "signed_time", "shipped_time", "received_time", "released_time",
	"placed_time", "authorised_time", "requested_time",
}

// told are the plain fields that a story tells; names and addresses of people are not.
var told = []protoreflect.Name{
	"site", "carrier", "carrier_service", "reason", "reason_code", "place", "location", "payment_reference", "revision",
	"attempt", "tender_number", "release_version", "credit_number", "rma_line_number", "line_count", "not_issued", "short", "document",
	"portion", "applied", "refused",
}

// toldOfWords are those of what a system said that does not own it.
var toldOfWords = []protoreflect.Name{"command", "system", "owner", "contradicts"}

// isTold reports whether a story tells a plain field.
func isTold(f protoreflect.FieldDescriptor) bool {
	if f.ContainingMessage().FullName() == "lockstep.common.v1.ForeignWord" {
		return slices.Contains(toldOfWords, f.Name())
	}
	return slices.Contains(told, f.Name())
}

// lineNumbers are the fields that say of which line a message is.
var lineNumbers = []protoreflect.Name{"line_number", "order_line_number", "rma_line_number"}

// place is where in a fact a message stands.
type place struct {
	depth    int
	repeated bool // in a list
	line     int32
	path     string // of the message, with a dot at its end
}

// figure is a quantity or amount with its place.
type figure[T any] struct {
	value T
	place place
}

// nearest keeps the figures of the fact as a whole where it has any, else those of its
// topmost list: what stands deeper repeats them in more detail (by carton, by posting).
func nearest[T any](all []figure[T]) []T {
	if len(all) == 0 {
		return nil
	}
	rank := func(f figure[T]) int {
		if f.place.repeated {
			return f.place.depth
		}
		return 0
	}
	best := rank(slices.MinFunc(all, func(a, b figure[T]) int { return rank(a) - rank(b) }))
	var out []T
	for _, f := range all {
		if rank(f) == best {
			out = append(out, f.value)
		}
	}
	return out
}

// reader walks a message in the order of its declaration, so that the result is always the
// same.
type reader struct {
	keys       []*controltowerv1.BusinessKey
	seen       map[string]bool
	quantities []figure[*controltowerv1.StepQuantity]
	amounts    []figure[*controltowerv1.StepAmount]
	details    []*controltowerv1.StepDetail
	times      map[protoreflect.Name]time.Time
	unit       string // of plain decimal quantities
}

func (r *reader) message(m protoreflect.Message, at place) {
	for _, name := range lineNumbers {
		if f := m.Descriptor().Fields().ByName(name); f != nil && f.Kind() == protoreflect.Int32Kind && m.Has(f) {
			at.line = int32(m.Get(f).Int())
			break
		}
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !m.Has(f) {
			continue
		}
		v := m.Get(f)
		switch {
		case f.IsMap():
			r.entries(f, v.Map(), at)
		case f.IsList():
			inside := place{depth: at.depth + 1, repeated: true, line: at.line}
			for j := range v.List().Len() {
				r.value(f, v.List().Get(j), inside)
			}
		default:
			r.value(f, v, at)
		}
	}
}

// entries walks a map's values by key.
func (r *reader) entries(f protoreflect.FieldDescriptor, m protoreflect.Map, at place) {
	var keys []protoreflect.MapKey
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		r.value(f.MapValue(), m.Get(k), place{depth: at.depth + 1, repeated: true, line: at.line})
	}
}

// value takes one value of a field.
func (r *reader) value(f protoreflect.FieldDescriptor, v protoreflect.Value, at place) {
	if f.Message() == nil {
		r.plain(f, v, at)
		return
	}
	name := string(f.Name())
	switch m := v.Message().Interface().(type) {
	case *commonv1.Quantity:
		r.quantities = append(r.quantities, figure[*controltowerv1.StepQuantity]{&controltowerv1.StepQuantity{
			Name: name, LineNumber: at.line, Quantity: proto.CloneOf(m),
		}, at})
	case *commonv1.Money:
		r.amounts = append(r.amounts, figure[*controltowerv1.StepAmount]{&controltowerv1.StepAmount{
			Name: name, LineNumber: at.line, Amount: proto.CloneOf(m),
		}, at})
	case *timestamppb.Timestamp:
		if _, known := r.times[f.Name()]; !known && !at.repeated && slices.Contains(happened, f.Name()) {
			if r.times == nil {
				r.times = map[protoreflect.Name]time.Time{}
			}
			r.times[f.Name()] = m.AsTime()
		}
	case *commonv1.Address:
	default:
		r.message(v.Message(), place{depth: at.depth + 1, repeated: at.repeated, line: at.line, path: at.path + name + "."})
	}
}

// plain takes a value that is no message: a key, a plain decimal quantity, a detail.
func (r *reader) plain(f protoreflect.FieldDescriptor, v protoreflect.Value, at place) {
	if t := keyType(f); t != 0 && f.Kind() == protoreflect.StringKind {
		r.key(t, v.String())
		return
	}
	switch {
	case f.Kind() == protoreflect.StringKind && f.Name() == "quantity":
		r.quantities = append(r.quantities, figure[*controltowerv1.StepQuantity]{&controltowerv1.StepQuantity{
			Name: "quantity", LineNumber: at.line, Quantity: &commonv1.Quantity{Value: v.String()},
		}, at})
	case f.Kind() == protoreflect.StringKind && f.Name() == "unit" && r.unit == "":
		r.unit = v.String()
	case at.repeated:
	case f.Kind() == protoreflect.EnumKind:
		if d := f.Enum().Values().ByNumber(v.Enum()); d != nil {
			r.detail(at, f, strings.TrimPrefix(string(d.Name()), enumPrefix(f.Enum())))
		}
	case isTold(f):
		r.detail(at, f, v.String())
	}
}

func (r *reader) key(t commonv1.BusinessKeyType, value string) {
	if id := t.String() + "\x00" + value; value != "" && !r.seen[id] {
		r.seen[id] = true
		r.keys = append(r.keys, &controltowerv1.BusinessKey{Type: t, Value: value})
	}
}

func (r *reader) detail(at place, f protoreflect.FieldDescriptor, value string) {
	r.details = append(r.details, &controltowerv1.StepDetail{Name: at.path + string(f.Name()), Value: value})
}

// keyType is the option of a field.
func keyType(f protoreflect.FieldDescriptor) commonv1.BusinessKeyType {
	t, _ := proto.GetExtension(f.Options(), commonv1.E_BusinessKey).(commonv1.BusinessKeyType)
	return t
}

// enumPrefix is what the names of an enum's values begin with: that of its zero value
// without UNSPECIFIED.
func enumPrefix(e protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(e.Values().Get(0).Name()), "UNSPECIFIED")
}
