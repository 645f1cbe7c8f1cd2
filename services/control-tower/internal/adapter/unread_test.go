package adapter

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// laterType is a fact type with a number and a detail that this binary does not link.
func laterType(t *testing.T) protoreflect.MessageType {
	t.Helper()
	number := &descriptorpb.FieldOptions{}
	proto.SetExtension(number, commonv1.E_BusinessKey, commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_PRO_NUMBER)
	field := func(name string, n int32, o *descriptorpb.FieldOptions) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), Number: proto.Int32(n), Options: o,
			Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
	}
	name := testkit.Name("later")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String(name + ".proto"), Package: proto.String(name), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("ShipmentBlessed"), Field: []*descriptorpb.FieldDescriptorProto{field("pro_number", 1, number), field("place", 2, nil)},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessageType(file.Messages().Get(0))
}

// later is a fact of that type about a shipment of the story.
func later(t *testing.T, of protoreflect.MessageType, n storytest.Names, version uint64, pro string) bus.Fact {
	t.Helper()
	m := of.New()
	m.Set(of.Descriptor().Fields().ByName("pro_number"), protoreflect.ValueOfString(pro))
	m.Set(of.Descriptor().Fields().ByName("place"), protoreflect.ValueOfString("DEHAM"))
	data, err := proto.Marshal(m.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return bus.Fact{
		ID: bus.EventID(n.Shipment, version, 0), Service: storytest.Shipments, AggregateType: "shipment", Tenant: "t", AggregateID: n.Shipment,
		Version: version, Count: 1, Type: string(of.Descriptor().FullName()), Data: data, Recorded: time.Date(2026, 11, 24, 9, 0, 0, int(version), time.UTC),
	}
}

func kept(t *testing.T, w *tower) int {
	t.Helper()
	rows, err := w.Recorder.rows.rows.List(t.Context(), unreadOwner, "", "", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestALaterReleaseReadsWhatWasOpaque: what a release without the type could only show as
// opaque steps is told whole by one that has it, in every row that holds it, by its numbers
// too; what is of another unknown type waits on, and nothing else changes.
func TestALaterReleaseReadsWhatWasOpaque(t *testing.T) {
	story, n, _ := straight("t")
	known, other := laterType(t), laterType(t)
	first, second, waits := later(t, known, n, 90, "LATE-90"), later(t, known, n, 91, "LATE-91"), later(t, other, n, 92, "LATE-92")
	w := newTower(t)
	w.together(t, append(story.Envelopes(), first, second, waits)...)
	w.record(t, first) // once more, in a row of its own
	before := w.ask(t, "t", n.Number)
	if got := opaque(before); len(got) != 3 || len(before.GetSteps()) != len(story.Envelopes())+3 {
		t.Fatalf("%d opaque steps of %d", len(got), len(before.GetSteps()))
	}
	if err := w.Reread(t.Context()); err != nil || kept(t, w) != 3 {
		t.Errorf("the same release: %v, %d are kept", err, kept(t, w))
	}
	if err := protoregistry.GlobalTypes.RegisterMessage(known); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second turn finds nothing to do
		if err := w.Reread(t.Context()); err != nil || kept(t, w) != 1 {
			t.Errorf("%v, %d are kept", err, kept(t, w))
		}
	}
	for _, key := range []string{n.Number, "LATE-90", "late 91"} {
		got := w.ask(t, "t", key)
		if len(got.GetSteps()) != len(before.GetSteps()) || len(opaque(got)) != 1 || opaque(got)[0] != waits.ID {
			t.Errorf("%s: %d steps, opaque are %v", key, len(got.GetSteps()), opaque(got))
		}
		for _, s := range got.GetSteps() {
			if s.GetEventId() == first.ID && (len(s.GetDetails()) != 1 || s.GetDetails()[0].GetValue() != "DEHAM") {
				t.Errorf("%s: %v", key, s)
			}
		}
	}
	found, err := w.SearchKeys(as(t.Context(), "t"), &controltowerv1.SearchKeysRequest{Prefix: "LATE-9"})
	if err != nil || len(found.GetKeys()) != 2 {
		t.Errorf("search: %v, %v", found, err)
	}
}

// TestALaterReleaseWithoutTheRows: of a projection that was dropped, what was kept is told all
// the same.
func TestALaterReleaseWithoutTheRows(t *testing.T) {
	n, known := storytest.Of("t", "4711"), laterType(t)
	f := later(t, known, n, 1, "LATE-1")
	row, err := unread(f)
	if err != nil {
		t.Fatal(err)
	}
	w := newTower(t)
	if err := w.Recorder.rows.rows.Put(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if err := protoregistry.GlobalTypes.RegisterMessage(known); err != nil {
		t.Fatal(err)
	}
	if err := w.Reread(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.ask(t, "t", "LATE-1"); len(got.GetSteps()) != 1 || len(opaque(got)) != 0 {
		t.Errorf("told %v", got)
	}
}

// TestTwoReplicasReread: a row that changed since it was read is left to the next turn.
func TestTwoReplicasReread(t *testing.T) {
	n, known := storytest.Of("t", "4711"), laterType(t)
	f := later(t, known, n, 1, "LATE-1")
	w := newTower(t)
	w.record(t, f)
	rows, err := w.Recorder.rows.rows.List(t.Context(), "t", "", "", "", 2)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	stale := rows[0]
	stale.Version = 7 // as another replica has left it
	if err := w.Recorder.rows.rows.Put(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	if err := protoregistry.GlobalTypes.RegisterMessage(known); err != nil {
		t.Fatal(err)
	}
	e, _, err := entryOf(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.swap(t.Context(), store.Row{Tenant: "t", ID: stale.ID, Version: 1, Body: stale.Body}, e); err == nil {
		t.Error("a row is overwritten that was changed meanwhile")
	}
	if err := w.Reread(t.Context()); err != nil || kept(t, w) != 0 || len(opaque(w.ask(t, "t", "LATE-1"))) != 0 {
		t.Errorf("the next turn: %v, %d are kept", err, kept(t, w))
	}
}

// opaque are the event ids of the steps that could not be read.
func opaque(resp *controltowerv1.TraceResponse) []string {
	var out []string
	for _, s := range resp.GetSteps() {
		if s.GetOpaque() {
			out = append(out, s.GetEventId())
		}
	}
	return out
}
