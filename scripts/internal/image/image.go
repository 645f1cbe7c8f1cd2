// Package image reads what buf built from the protos: every file with its options,
// ours among them.
package image

import (
	"fmt"
	"os"
	"strings"

	// Their extensions are what the options of an image are read with.
	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Image is a set of proto files.
type Image struct{ files *protoregistry.Files }

// Read returns the image that `buf build -o path` wrote.
func Read(path string) (*Image, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return Of(set)
}

// Of returns the image of a set of descriptors.
func Of(set *descriptorpb.FileDescriptorSet) (*Image, error) {
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	return &Image{files}, nil
}

// Message returns the message with that full name, nil if there is none.
func (i *Image) Message(name string) protoreflect.MessageDescriptor {
	d, err := i.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil
	}
	m, _ := d.(protoreflect.MessageDescriptor)
	return m
}

// Files returns the files of our own packages.
func (i *Image) Files() []protoreflect.FileDescriptor {
	var own []protoreflect.FileDescriptor
	i.files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(f.Package()), "lockstep.") {
			own = append(own, f)
		}
		return true
	})
	return own
}

// Methods returns the methods of our own services.
func (i *Image) Methods() []protoreflect.MethodDescriptor {
	var all []protoreflect.MethodDescriptor
	for _, f := range i.Files() {
		for s := range f.Services().Len() {
			methods := f.Services().Get(s).Methods()
			for m := range methods.Len() {
				all = append(all, methods.Get(m))
			}
		}
	}
	return all
}

// Access returns the access rule of a method, nil if it has none.
func Access(m protoreflect.MethodDescriptor) *commonv1.Access {
	a, _ := proto.GetExtension(m.Options(), commonv1.E_Access).(*commonv1.Access)
	return a
}

// HTTP returns the HTTP rule of a method, nil if it is internal.
func HTTP(m protoreflect.MethodDescriptor) *annotations.HttpRule {
	r, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	return r
}
