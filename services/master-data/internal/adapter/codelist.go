package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/codelist"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

func codeListFromProto(m *mdv1.CodeList) domain.CodeList {
	return domain.CodeList{
		Code: m.GetCode(), Standard: m.GetStandard(), Name: m.GetName(), Version: m.GetVersion(),
		Entries: protovalue.Each(m.GetEntries(), func(e *mdv1.CodeEntry) domain.CodeEntry {
			return domain.CodeEntry{
				Code: e.GetCode(), Canonical: e.GetCanonicalCode(), Meaning: e.GetMeaning(),
				From: protovalue.FromTime(e.GetValidFrom()), To: protovalue.FromTime(e.GetValidTo()),
			}
		}),
	}
}

func codeListToProto(l domain.CodeList) *mdv1.CodeList {
	return &mdv1.CodeList{
		Code: l.Code, Standard: l.Standard, Name: l.Name, Version: l.Version,
		Entries: protovalue.Each(l.Entries, func(e domain.CodeEntry) *mdv1.CodeEntry {
			return &mdv1.CodeEntry{
				Code: e.Code, CanonicalCode: e.Canonical, Meaning: e.Meaning, ValidFrom: protovalue.Time(e.From), ValidTo: protovalue.Time(e.To), Own: true,
			}
		}),
	}
}

var codeListWire = wire[domain.CodeList]{
	empty: []proto.Message{&mdv1.CodeListDefined{}, &mdv1.CodeListRetired{}},
	encode: func(f domain.Fact[domain.CodeList]) proto.Message {
		if f.Retired {
			return &mdv1.CodeListRetired{CodeListId: f.ID, CodeList: codeListToProto(f.Value)}
		}
		return &mdv1.CodeListDefined{CodeListId: f.ID, CodeList: codeListToProto(f.Value)}
	},
	decode: func(m proto.Message) domain.Fact[domain.CodeList] {
		e := m.(interface {
			GetCodeListId() string
			GetCodeList() *mdv1.CodeList
		})
		return domain.Fact[domain.CodeList]{ID: e.GetCodeListId(), Retired: isA[*mdv1.CodeListRetired](m), Value: codeListFromProto(e.GetCodeList())}
	},
}

func entryToProto(e codelist.Entry) *mdv1.CodeEntry {
	return &mdv1.CodeEntry{
		Code: e.Code, CanonicalCode: e.Canonical, Meaning: e.Meaning, ValidFrom: protovalue.Time(e.From), ValidTo: protovalue.Time(e.To), Own: e.Own,
	}
}

// listToProto is a list with its head only.
func listToProto(l codelist.List) *mdv1.CodeList {
	return &mdv1.CodeList{Code: l.Code, Standard: l.Standard, Name: l.Name, Version: l.Version}
}

// PutCodeList replaces the tenant's own entries of a code list.
func (s *Server) PutCodeList(ctx context.Context, req *mdv1.PutCodeListRequest) (*mdv1.PutCodeListResponse, error) {
	list := codeListFromProto(req.GetCodeList())
	if err := sameCode("code_list.code", req.GetCode(), &list.Code); err != nil {
		return nil, err
	}
	receipt, err := s.codeLists.Put(ctx, list)
	if err != nil {
		return nil, under("code_list", err)
	}
	return &mdv1.PutCodeListResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// RetireCodeList takes the tenant's own entries of a code list out of use.
func (s *Server) RetireCodeList(ctx context.Context, req *mdv1.RetireCodeListRequest) (*mdv1.RetireCodeListResponse, error) {
	receipt, err := s.codeLists.Retire(ctx, req.GetCode())
	return &mdv1.RetireCodeListResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetCodeList returns a code list with the entries that hold.
func (s *Server) GetCodeList(ctx context.Context, req *mdv1.GetCodeListRequest) (*mdv1.GetCodeListResponse, error) {
	list, view, err := s.codeLists.Whole(ctx, req.GetCode())
	if err != nil {
		return nil, err
	}
	_, embedded := domain.EmbeddedList(req.GetCode())
	m := listToProto(list)
	m.Entries = protovalue.Each(list.Entries, entryToProto)
	return &mdv1.GetCodeListResponse{CodeList: &mdv1.CodeListRecord{
		CodeListId: view.ID, CodeList: m, Embedded: embedded, EntryCount: int32(len(list.Entries)), Etag: view.ETag, UpdateTime: protovalue.Time(view.Updated),
	}}, nil
}

// ListCodeLists pages code lists, without their entries.
func (s *Server) ListCodeLists(ctx context.Context, req *mdv1.ListCodeListsRequest) (*mdv1.ListCodeListsResponse, error) {
	page, err := s.codeLists.List(ctx, query(req))
	if err != nil {
		return nil, err
	}
	out := &mdv1.ListCodeListsResponse{NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}
	if req.GetPageToken() == "" {
		for _, code := range domain.EmbeddedLists() {
			l, _ := domain.EmbeddedList(code)
			out.CodeLists = append(out.CodeLists, &mdv1.CodeListRecord{CodeList: listToProto(l), Embedded: true, EntryCount: int32(len(l.Entries))})
		}
	}
	for _, v := range page.Items {
		if v.State.State != domain.Active {
			continue
		}
		l, _ := domain.Whole(v.State.Value.Code, v.State)
		_, embedded := domain.EmbeddedList(l.Code)
		out.CodeLists = append(out.CodeLists, &mdv1.CodeListRecord{
			CodeListId: v.ID, CodeList: listToProto(l), Embedded: embedded, EntryCount: int32(len(l.Entries)), Etag: v.ETag, UpdateTime: protovalue.Time(v.Updated),
		})
	}
	return out, nil
}

// ResolveCode says what a code means, or how a canonical code is written.
func (s *Server) ResolveCode(ctx context.Context, req *mdv1.ResolveCodeRequest) (*mdv1.ResolveCodeResponse, error) {
	found, err := s.codeLists.Resolve(ctx, req.GetCode(), req.GetEntryCode(), req.GetCanonicalCode(), s.moment(req.GetAsOfTime()))
	if err != nil {
		return nil, err
	}
	return &mdv1.ResolveCodeResponse{Entries: protovalue.Each(found, entryToProto)}, nil
}
