package main

import (
	"fmt"
	"regexp/syntax"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// checkFields: no floating point anywhere, and every published fact carries a business key.
func checkFields(f protoreflect.FileDescriptor) []finding {
	var found []finding
	events := strings.HasSuffix(f.Path(), "/events.proto")
	for i := range f.Messages().Len() {
		m := f.Messages().Get(i)
		for j := range m.Fields().Len() {
			field := m.Fields().Get(j)
			if k := field.Kind(); k == protoreflect.FloatKind || k == protoreflect.DoubleKind {
				found = append(found, finding{where: string(field.FullName()), what: "floating point: amounts, weights and quantities are exact"})
			}
		}
		if events && !reference(m) && isFact(f, m) && !carriesKey(m) {
			found = append(found, finding{where: string(m.FullName()), what: "a fact without a business key cannot be traced"})
		}
	}
	return found
}

// reference are the facts about things that documents refer to: no document's story goes
// through them.
func reference(m protoreflect.MessageDescriptor) bool {
	switch m.FullName() {
	case "lockstep.freightsettlement.v1.RateCardPublished", "lockstep.inventorymovement.v1.NumbersTaken",
		"lockstep.orderrelease.v1.SourcingRulesChanged", "lockstep.orderrelease.v1.ReleaseChannelDefined",
		"lockstep.orderrelease.v1.ReleaseChannelClosed", "lockstep.orderrelease.v1.ReleaseChannelOpened",
		"lockstep.inventorymovement.v1.AllocationPolicySet", "lockstep.inventorymovement.v1.PutawayRulesSet":
		return true
	}
	return m.ParentFile().Package() == "lockstep.masterdata.v1"
}

// isFact tells facts from the messages that they are made of: no other message of the
// file has a fact as a field.
func isFact(f protoreflect.FileDescriptor, m protoreflect.MessageDescriptor) bool {
	for i := range f.Messages().Len() {
		fields := f.Messages().Get(i).Fields()
		for j := range fields.Len() {
			if part := fields.Get(j).Message(); part != nil && part.FullName() == m.FullName() {
				return false
			}
		}
	}
	return true
}

// carriesKey reports whether the message or a single part of it has a business key: the
// keys of a document often stand together in a message of their own.
func carriesKey(m protoreflect.MessageDescriptor) bool {
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if proto.GetExtension(f.Options(), commonv1.E_BusinessKey).(commonv1.BusinessKeyType) != 0 {
			return true
		}
		if part := f.Message(); part != nil && !f.IsList() && !f.IsMap() && part.ParentFile().Path() == m.ParentFile().Path() && part != m && carriesKey(part) {
			return true
		}
	}
	return false
}

// unbounded lists the strings, bytes and lists of a public request that have no limit;
// seen are the messages that were looked at before.
func unbounded(m protoreflect.MethodDescriptor, seen map[protoreflect.FullName]bool) []finding {
	var found []finding
	var walk func(d protoreflect.MessageDescriptor)
	walk = func(d protoreflect.MessageDescriptor) {
		if seen[d.FullName()] || !strings.HasPrefix(string(d.FullName()), "lockstep.") {
			return
		}
		seen[d.FullName()] = true
		for i := range d.Fields().Len() {
			f := d.Fields().Get(i)
			if !limited(f) {
				found = append(found, finding{
					where: string(f.FullName()),
					what:  fmt.Sprintf("has no limit, and %s takes it from outside", m.Name()),
				})
			}
			if f.Message() != nil {
				walk(f.Message())
			}
		}
	}
	walk(m.Input())
	return found
}

// limited reports whether the rules of a field bound what it can hold.
func limited(f protoreflect.FieldDescriptor) bool {
	rules, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
	switch {
	case f.IsMap():
		return rules.GetMap().HasMaxPairs() && limitedValue(f.MapKey(), rules.GetMap().GetKeys()) && limitedValue(f.MapValue(), rules.GetMap().GetValues())
	case f.IsList():
		return rules.GetRepeated().HasMaxItems() && limitedValue(f, rules.GetRepeated().GetItems())
	}
	return limitedValue(f, rules)
}

func limitedValue(f protoreflect.FieldDescriptor, rules *validate.FieldRules) bool {
	switch f.Kind() {
	case protoreflect.StringKind:
		s := rules.GetString()
		return s.HasMaxLen() || s.HasLen() || s.HasMaxBytes() || s.HasConst() || len(s.GetIn()) > 0 || s.HasWellKnown() || endsSomewhere(s.GetPattern())
	case protoreflect.BytesKind:
		return rules.GetBytes().HasMaxLen() || rules.GetBytes().HasLen()
	}
	return true
}

// endsSomewhere reports whether what a pattern matches has a greatest length.
func endsSomewhere(pattern string) bool {
	if !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") {
		return false
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	return err == nil && finite(tree)
}

func finite(r *syntax.Regexp) bool {
	if r.Op == syntax.OpStar || r.Op == syntax.OpPlus || r.Op == syntax.OpRepeat && r.Max < 0 {
		return false
	}
	for _, sub := range r.Sub {
		if !finite(sub) {
			return false
		}
	}
	return true
}

// hasMaximum reports whether a number's rules say how large it may be.
func hasMaximum(f protoreflect.FieldDescriptor) bool {
	rules, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
	return rules.GetInt32().HasLte() || rules.GetInt32().HasLt()
}
