// Package owners is a service's own copy of who owns the transitions of its objects: the tenants'
// ownership policies, followed by the facts of master data, so that they count while it is down. It
// promises that a decision reads the store for them once a second and tenant at most.
package owners

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// Owners is the copy of one service.
type Owners struct {
	rows store.Rows
	now  func() time.Time

	mu      sync.Mutex
	tenants map[string]read
	puts    map[string]int // by tenant, of this process
}

// read is what was read of a tenant.
type read struct {
	at     time.Time
	tables map[string]authority.Table // the tenant's own, by type of object
}

// fresh is how long a tenant's policies are used without a look at the store.
const fresh = time.Second

// New returns the copy that is kept in the database.
func New(db *store.DB, now func() time.Time) *Owners {
	return &Owners{rows: db.Table("owners"), now: now, tenants: map[string]read{}, puts: map[string]int{}}
}

const (
	ruleOf = "CONFLICT_RULE_"
	typeOf = "OBJECT_TYPE_"
)

// Follower keeps the copy.
func (o *Owners) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "owners", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.OwnershipPolicyDefined) error {
			body, err := json.Marshal(protovalue.Each(e.GetRules(), policy))
			if err != nil {
				return err
			}
			defer o.forget(f.Tenant)
			return o.rows.Put(ctx, store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: body})
		}),
	)
}

// policy reads a rule; what a rule of a newer version means for commands is not known: what it does
// not let count is kept at least.
func policy(r *masterdatav1.OwnershipRule) authority.Policy {
	p := authority.Policy{Subject: r.GetSubject(), Owner: r.GetOwner(), Rule: authority.Rule(protovalue.Name(r.GetConflictRule(), ruleOf))}
	if p.Rule != authority.Refuse && p.Rule != authority.Accept {
		p.Rule = authority.Observe
	}
	return p
}

func (o *Owners) forget(tenant string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.tenants, tenant)
	o.puts[tenant]++
}

// Table returns who owns what of a type of object, by the name of the contract's ObjectType without its
// prefix: what the caller's tenant says, else what came with the release.
func (o *Owners) Table(ctx context.Context, objectType string) (authority.Table, error) {
	tenant := store.CauseOf(ctx).Tenant
	o.mu.Lock()
	known, puts := o.tenants[tenant], o.puts[tenant]
	o.mu.Unlock()
	if now := o.now(); known.tables == nil || now.Before(known.at) || now.Sub(known.at) >= fresh {
		var err error
		if known, err = o.load(ctx, tenant, now); err != nil {
			return authority.Table{}, err
		}
		o.mu.Lock()
		if o.puts[tenant] == puts { // else it may be older than what was put
			o.tenants[tenant] = known
		}
		o.mu.Unlock()
	}
	if t, ok := known.tables[objectType]; ok {
		return t, nil
	}
	return authority.Default(objectType), nil
}

func (o *Owners) load(ctx context.Context, tenant string, now time.Time) (read, error) {
	types := map[string]string{} // by id of the policy
	var ids []string
	for n, name := range masterdatav1.ObjectType_name {
		if n == 0 {
			continue
		}
		name = name[len(typeOf):]
		id := ident.Derive("own", tenant, name)
		types[id], ids = name, append(ids, id)
	}
	rows, err := o.rows.GetMany(ctx, tenant, ids)
	if err != nil {
		return read{}, err
	}
	out := read{at: now, tables: map[string]authority.Table{}}
	for _, row := range rows {
		var t authority.Table
		if err := json.Unmarshal(row.Body, &t.Policies); err != nil {
			return read{}, err
		}
		out.tables[types[row.ID]] = t
	}
	return out, nil
}

type saysKey struct{}

// says is a command as its caller gave it.
type says struct {
	command string
	request proto.Message
}

// Says returns the context of a command: what Judge judges by.
func Says(ctx context.Context, command string, request proto.Message) context.Context {
	return context.WithValue(ctx, saysKey{}, says{command, request})
}

// Judge returns what becomes of the command in ctx, which changes an object of a type. What no system
// gives, and what is no command, counts.
func (o *Owners) Judge(ctx context.Context, objectType string) (authority.Verdict, error) {
	s, ok := ctx.Value(saysKey{}).(says)
	source := store.CauseOf(ctx).Source
	if !ok || source.System == "" {
		return authority.Verdict{}, nil
	}
	t, err := o.Table(ctx, objectType)
	if err != nil {
		return authority.Verdict{}, err
	}
	v := t.Decide(authority.Assertion{Command: s.command, System: source.System, Message: source.MessageID, EventTime: source.EventTime})
	if !v.Counts() {
		v.Said = authority.Cut(text(s.request))
	}
	return v, nil
}

// text is a request as one line of JSON, without what is told apart from it.
func text(request proto.Message) string {
	if request == nil {
		return ""
	}
	m := proto.Clone(request).ProtoReflect()
	for _, name := range []protoreflect.Name{"source", "etag"} {
		if f := m.Descriptor().Fields().ByName(name); f != nil {
			m.Clear(f)
		}
	}
	raw, err := protojson.Marshal(m.Interface())
	if err != nil {
		return ""
	}
	var line bytes.Buffer // the whitespace of protojson varies
	if err := json.Compact(&line, raw); err != nil {
		return ""
	}
	return line.String()
}
