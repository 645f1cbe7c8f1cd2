package document

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/money"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// set writes a value of CSV into the field at a path, making the messages on the way. An
// element of a list is taken from elements; a list of scalars gets one value more, one of
// enums every value that stands between bars.
func set(m proto.Message, path, value, currency string, element func(list protoreflect.List) protoreflect.Message) error {
	at := m.ProtoReflect()
	parts := strings.Split(path, ".")
	for i, part := range parts {
		name, listed := strings.CutSuffix(part, "[]")
		f := at.Descriptor().Fields().ByName(protoreflect.Name(name))
		if i < len(parts)-1 {
			if listed {
				at = element(at.Mutable(f).List())
			} else {
				at = at.Mutable(f).Message()
			}
			continue
		}
		return setField(at, f, value, currency)
	}
	return nil
}

func setField(at protoreflect.Message, f protoreflect.FieldDescriptor, value, currency string) error {
	switch {
	case f.IsList() && f.Kind() == protoreflect.EnumKind:
		for one := range strings.SplitSeq(value, "|") {
			v, err := scalar(f, strings.TrimSpace(one), currency)
			if err != nil {
				return err
			}
			at.Mutable(f).List().Append(v)
		}
		return nil
	case f.IsList():
		at.Mutable(f).List().Append(protoreflect.ValueOfString(value))
		return nil
	}
	v, err := scalar(f, value, currency)
	if err == nil {
		at.Set(f, v)
	}
	return err
}

var (
	errNumber = errors.New("must be a whole number")
	errBool   = errors.New("must be true or false")
	errTime   = errors.New("must be a time such as 2026-11-24T15:00:00Z, or a date such as 2026-11-24")
)

// scalar reads one value.
func scalar(f protoreflect.FieldDescriptor, value, currency string) (protoreflect.Value, error) {
	none := protoreflect.Value{}
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(value), nil
	case protoreflect.Int32Kind:
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return none, errNumber
		}
		return protoreflect.ValueOfInt32(int32(n)), nil
	case protoreflect.Int64Kind:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return none, errNumber
		}
		return protoreflect.ValueOfInt64(n), nil
	case protoreflect.BoolKind:
		switch strings.ToLower(value) {
		case "true", "1", "yes":
			return protoreflect.ValueOfBool(true), nil
		case "false", "0", "no":
			return protoreflect.ValueOfBool(false), nil
		}
		return none, errBool
	case protoreflect.EnumKind:
		return enum(f.Enum(), value)
	case protoreflect.MessageKind:
		return message(f.Message().FullName(), value, currency)
	}
	return none, errors.New("has a kind that CSV cannot carry")
}

// enum reads the name of a value, with or without the prefix of its type.
func enum(d protoreflect.EnumDescriptor, value string) (protoreflect.Value, error) {
	prefix := strings.TrimSuffix(string(d.Values().ByNumber(0).Name()), "UNSPECIFIED")
	name := strings.ToUpper(strings.NewReplacer(" ", "_", "-", "_").Replace(value))
	v := d.Values().ByName(protoreflect.Name(prefix + strings.TrimPrefix(name, prefix)))
	if v == nil || v.Number() == 0 {
		var names []string
		for i := 1; i < d.Values().Len(); i++ {
			names = append(names, strings.TrimPrefix(string(d.Values().Get(i).Name()), prefix))
		}
		return protoreflect.Value{}, errors.New("must be one of " + strings.Join(names, ", "))
	}
	return protoreflect.ValueOfEnum(v.Number()), nil
}

func message(name protoreflect.FullName, value, currency string) (protoreflect.Value, error) {
	none := protoreflect.Value{}
	switch name {
	case (*timestamppb.Timestamp)(nil).ProtoReflect().Descriptor().FullName():
		t, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			if t, err = time.Parse(time.DateOnly, value); err != nil {
				return none, errTime
			}
		}
		return protoreflect.ValueOfMessage(timestamppb.New(t).ProtoReflect()), nil
	case (*commonv1.Money)(nil).ProtoReflect().Descriptor().FullName():
		amount, err := money.Parse(value, currency)
		if err != nil {
			return none, errors.New("must be an amount of " + currency + " with no more decimals than that has, e.g. 12.50")
		}
		return protoreflect.ValueOfMessage((&commonv1.Money{AmountMinor: amount.Minor, Currency: amount.Currency}).ProtoReflect()), nil
	}
	return none, errors.New("has a kind that CSV cannot carry")
}
