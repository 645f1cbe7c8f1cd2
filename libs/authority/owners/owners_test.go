package owners_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

func open(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + t.TempDir(), Database: "owners"}, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return db
}

// told gives the copy a policy of a tenant about warehouse orders.
func told(t *testing.T, o *owners.Owners, tenant string, version uint64, rules ...*mdv1.OwnershipRule) {
	t.Helper()
	data, err := proto.Marshal(&mdv1.OwnershipPolicyDefined{ObjectType: mdv1.ObjectType_OBJECT_TYPE_WAREHOUSE_ORDER, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	err = o.Follower().Handle(t.Context(), bus.Fact{
		Tenant: tenant, AggregateID: ident.Derive("own", tenant, "WAREHOUSE_ORDER"), Version: version, Count: 1,
		Type: "lockstep.masterdata.v1.OwnershipPolicyDefined", Data: data,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func rule(owner string, r mdv1.ConflictRule) *mdv1.OwnershipRule {
	return &mdv1.OwnershipRule{Subject: "PostGoodsIssue", Owner: owner, ConflictRule: r}
}

// says is a goods issue in the name of a system.
func says(t *testing.T, tenant, system string) context.Context {
	ctx := store.WithCause(t.Context(), store.Cause{Tenant: tenant, Source: ident.SourceRef{System: system, MessageID: "M-1"}})
	return owners.Says(ctx, "PostGoodsIssue", &imv1.PostGoodsIssueRequest{WarehouseOrderId: "who_a"})
}

// TestJudge: the tenant's own policy counts as soon as it is told, else what came with the release; no
// system is nobody's business, and what no caller commands counts.
func TestJudge(t *testing.T) {
	now := time.Unix(1000, 0)
	db := open(t)
	o := owners.New(db, func() time.Time { return now })
	other := owners.New(db, func() time.Time { return now }) // another replica
	judge := func(o *owners.Owners, tenant, system string) string {
		t.Helper()
		v, err := o.Judge(says(t, tenant, system), "WAREHOUSE_ORDER")
		if err != nil {
			t.Fatal(err)
		}
		if !v.Counts() && (v.Said != `{"warehouseOrderId":"who_a"}` || v.Command != "PostGoodsIssue" || v.Message != "M-1") {
			t.Errorf("%+v", v)
		}
		return v.Owner + string(v.Rule)
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	expect("embedded", judge(o, "a", "tms"), "wmsOBSERVE")
	expect("embedded, another replica", judge(other, "a", "tms"), "wmsOBSERVE")
	expect("its owner", judge(o, "a", "wms"), "")
	expect("the staff", judge(o, "a", ""), "")
	told(t, o, "a", 1, rule("wms", mdv1.ConflictRule_CONFLICT_RULE_REFUSE))
	expect("the tenant's own", judge(o, "a", "tms"), "wmsREFUSE")
	expect("another tenant's", judge(o, "b", "tms"), "wmsOBSERVE")
	told(t, o, "a", 2, rule("wms", mdv1.ConflictRule_CONFLICT_RULE_REFUSE), rule("tms", mdv1.ConflictRule_CONFLICT_RULE_REFUSE))
	told(t, o, "a", 1, rule("wms", mdv1.ConflictRule_CONFLICT_RULE_REFUSE)) // heard again
	expect("two owners", judge(o, "a", "tms"), "")
	expect("used for a second", judge(other, "a", "tms"), "wmsOBSERVE")
	now = now.Add(time.Second)
	expect("read again", judge(other, "a", "tms"), "")
	told(t, o, "a", 3, rule("wms", mdv1.ConflictRule(99)))
	expect("a rule of a newer version", judge(o, "a", "tms"), "wmsOBSERVE")
	told(t, o, "a", 4)
	expect("nobody owns anything", judge(o, "a", "tms"), "")

	fact := store.WithCause(t.Context(), store.Cause{Tenant: "b", Source: ident.SourceRef{System: "tms"}})
	if v, err := o.Judge(fact, "WAREHOUSE_ORDER"); err != nil || v != (authority.Verdict{}) {
		t.Errorf("what follows a fact is no command: %+v %v", v, err)
	}
}
