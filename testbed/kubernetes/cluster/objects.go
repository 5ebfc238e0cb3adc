package cluster

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"tidemark.test/kubernetes/process"
	"tidemark.test/kubernetes/proxy"
)

// S3 is the process of `bed up --s3`: an object store inside the bed, so that it can be broken as the others can.
const S3 = "s3"

// Who may do everything in the object store, the region that it says it is in, and the bucket that it begins with.
const (
	S3AccessKey = "bed"
	S3SecretKey = "bed-secret-key"
	S3Region    = "us-east-1"
	S3Bucket    = "backups"
)

const (
	s3Port      = 7070
	s3FrontPort = 7071
)

func (o *Options) versitygw() string { return filepath.Join(o.Programs, "versitygw", "versitygw") }

func (f Folder) s3(part string) string { return filepath.Join(string(f), "s3", part) }

func (b *Bed) s3() program {
	at := fmt.Sprintf("127.0.0.1:%d", s3Port)
	return program{
		Spec: process.Spec{Name: S3, Path: b.options.versitygw(), Args: append([]string{
			"--port", at, "--access", S3AccessKey, "--secret", S3SecretKey, "--region", S3Region,
			"--health", "/healthz", "--quiet", "--keep-alive",
		}, append(b.options.flagsOf(S3), "posix", "--versioning-dir", b.folder.s3("versions"), b.folder.s3("buckets"))...)},
		port:   s3Port,
		health: "http://" + at + "/healthz",
	}
}

// Its folders; a bucket is a folder of the first.
func (b *Bed) prepareS3() error {
	for _, folder := range []string{b.folder.s3(filepath.Join("buckets", S3Bucket)), b.folder.s3("versions")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bed) serveObjectFront() error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s3FrontPort))
	if err != nil {
		return err
	}
	front := proxy.ObjectFront{Gate: b.Gates[ListenS3], Target: fmt.Sprintf("127.0.0.1:%d", s3Port), Log: b.log}
	return front.Serve(listener)
}
