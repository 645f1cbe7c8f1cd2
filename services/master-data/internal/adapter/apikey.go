package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

const (
	rolePrefix     = "ROLE_"
	keyStatePrefix = "API_KEY_STATE_"
)

func role(name string) commonv1.Role { return commonv1.Role(commonv1.Role_value[rolePrefix+name]) }

func roleName(r commonv1.Role) string { return protovalue.Name(r, rolePrefix) }

func apiKeyToProto(k domain.APIKey, state domain.KeyState) *mdv1.ApiKey {
	return &mdv1.ApiKey{
		Name: k.Name, Prefix: k.Prefix, Roles: protovalue.Each(k.Roles, role), PartyCode: k.Party, Systems: k.Systems,
		ExpireTime: protovalue.Time(k.Expires), State: mdv1.ApiKeyState(mdv1.ApiKeyState_value[keyStatePrefix+string(state)]),
		CreateTime: protovalue.Time(k.Created), CreatedBy: k.By, RevokeTime: protovalue.Time(k.Revoked), RevokedBy: k.RevokedBy, LastUsedHour: protovalue.Time(k.Used),
	}
}

var apiKeyWire = wire[domain.APIKey]{
	empty: []proto.Message{&mdv1.ApiKeyDefined{}},
	encode: func(f domain.Fact[domain.APIKey]) proto.Message {
		state := domain.KeyActive
		if !f.Value.Revoked.IsZero() {
			state = domain.KeyRevoked
		}
		return &mdv1.ApiKeyDefined{ApiKeyId: f.ID, ApiKey: apiKeyToProto(f.Value, state), Salt: f.Value.Salt, Hash: f.Value.Hash}
	},
	decode: func(m proto.Message) domain.Fact[domain.APIKey] {
		e := m.(*mdv1.ApiKeyDefined)
		k := e.GetApiKey()
		return domain.Fact[domain.APIKey]{ID: e.GetApiKeyId(), Value: domain.APIKey{
			Name: k.GetName(), Prefix: k.GetPrefix(), Roles: protovalue.Each(k.GetRoles(), roleName), Party: k.GetPartyCode(), Systems: k.GetSystems(),
			Expires: protovalue.FromTime(k.GetExpireTime()), Salt: e.GetSalt(), Hash: e.GetHash(), By: k.GetCreatedBy(), Created: protovalue.FromTime(k.GetCreateTime()),
			RevokedBy: k.GetRevokedBy(), Revoked: protovalue.FromTime(k.GetRevokeTime()), Used: protovalue.FromTime(k.GetLastUsedHour()),
		}}
	},
}

// CreateApiKey creates a key and shows it this once.
func (s *Server) CreateApiKey(ctx context.Context, req *mdv1.CreateApiKeyRequest) (*mdv1.CreateApiKeyResponse, error) { //nolint:staticcheck // the name is the contract's
	receipt, key, err := s.apiKeys.Create(ctx, domain.APIKey{
		Name: req.GetName(), Roles: protovalue.Each(req.GetRoles(), roleName), Party: req.GetPartyCode(), Systems: req.GetSystems(), Expires: protovalue.FromTime(req.GetExpireTime()),
	})
	if err != nil {
		return nil, err
	}
	return &mdv1.CreateApiKeyResponse{Receipt: guard.Receipt(ctx, receipt), ApiKey: key}, nil
}

// ListApiKeys pages keys.
func (s *Server) ListApiKeys(ctx context.Context, req *mdv1.ListApiKeysRequest) (*mdv1.ListApiKeysResponse, error) { //nolint:staticcheck // the name is the contract's
	page, err := s.apiKeys.List(ctx, query(req))
	now := s.now.Now()
	return &mdv1.ListApiKeysResponse{
		ApiKeys: protovalue.Each(page.Items, func(v store.View[domain.Record[domain.APIKey]]) *mdv1.ApiKey {
			return apiKeyToProto(v.State.Value, v.State.Value.State(now))
		}),
		NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, err
}

// RevokeApiKey revokes a key for good.
func (s *Server) RevokeApiKey(ctx context.Context, req *mdv1.RevokeApiKeyRequest) (*mdv1.RevokeApiKeyResponse, error) { //nolint:staticcheck // the name is the contract's
	receipt, err := s.apiKeys.Revoke(ctx, req.GetApiKeyName())
	return &mdv1.RevokeApiKeyResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ResolveApiKey says whose a key is, to the gateway and to nobody else.
func (s *Server) ResolveApiKey(ctx context.Context, req *mdv1.ResolveApiKeyRequest) (*mdv1.ResolveApiKeyResponse, error) { //nolint:staticcheck // the name is the contract's
	if caller, _ := guard.CallerOf(ctx); caller.Service != guard.Gateway {
		return nil, fault.New(fault.Denied, "METHOD_NOT_ALLOWED", "only the gateway lets callers in")
	}
	key, party, err := s.apiKeys.Resolve(ctx, req.GetApiKeyId(), req.GetDigest(), s.now.Now())
	if err != nil {
		return nil, err
	}
	return &mdv1.ResolveApiKeyResponse{Principal: "key:" + key.Name, Roles: protovalue.Each(key.Roles, role), Systems: key.Systems, PartyId: party}, nil
}
