package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"tidemark.test/kubernetes/cluster"
	"tidemark.test/kubernetes/control"
	"tidemark.test/kubernetes/process"
	"tidemark.test/kubernetes/space"
)

// What `bed up` prints.
type ready struct {
	Dir             string         `json:"dir"`
	Kubeconfig      string         `json:"kubeconfig"`
	Restricted      string         `json:"restricted_kubeconfig"`
	Front           string         `json:"front_kubeconfig"`
	FrontRestricted string         `json:"front_restricted_kubeconfig"`
	Direct          string         `json:"direct_kubeconfig"`
	Etcd            string         `json:"etcd"`
	Control         string         `json:"control"`
	S3              *objectStore   `json:"s3,omitempty"`
	Volumes         string         `json:"volumes,omitempty"` // what they lie on
	Seconds         float64        `json:"seconds"`
	Steps           []cluster.Step `json:"steps"`
	RSS             map[string]int `json:"rss_mib"`
}

// How to reach the object store of --s3.
type objectStore struct {
	Endpoint  string `json:"endpoint"`
	Region    string `json:"region"`
	Bucket    string `json:"bucket"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// The process inside the namespaces: process 1 there.
func inside(args []string) error {
	started := time.Now()
	folder := cluster.Folder(args[0])
	options, err := cluster.LoadOptions(folder.Options())
	if err != nil {
		return err
	}
	listeners, err := space.Enter(len(options.Listeners()))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := folder.Prepare(options); err != nil {
		return err
	}
	logger := log.New(os.Stderr, "bed: ", log.LstdFlags)
	bed, err := cluster.Start(ctx, folder, options, listeners, logger)
	if err != nil {
		return err
	}
	socket, err := control.Listen(folder.Control())
	if err != nil {
		return err
	}
	go func() { logger.Print(http.Serve(socket, control.Handler(bed, options.Outside))) }()
	if err := report(folder, options, bed, started); err != nil {
		return err
	}
	<-ctx.Done()
	bed.Stop()
	return os.Remove(folder.Control())
}

func report(folder cluster.Folder, options *cluster.Options, bed *cluster.Bed, started time.Time) error {
	said := ready{
		Dir:             string(folder),
		Kubeconfig:      folder.Kubeconfig("admin"),
		Restricted:      folder.Kubeconfig("restricted"),
		Front:           folder.Kubeconfig("front"),
		FrontRestricted: folder.Kubeconfig("front-restricted"),
		Direct:          folder.Kubeconfig("direct"),
		Etcd:            "http://" + options.Outside[cluster.ListenEtcd],
		Control:         folder.Control(),
		Volumes:         bed.Volumes(),
		Seconds:         time.Since(started).Seconds(),
		Steps:           bed.Steps(),
		RSS:             map[string]int{},
	}
	if options.S3 {
		said.S3 = &objectStore{"http://" + options.Outside[cluster.ListenS3], cluster.S3Region, cluster.S3Bucket,
			cluster.S3AccessKey, cluster.S3SecretKey}
	}
	said.RSS["bed"], _ = process.Memory(os.Getpid())
	for _, status := range bed.Processes.Status() {
		said.RSS[status.Name] = status.RSS
	}
	text, err := json.Marshal(said)
	if err != nil {
		return err
	}
	temporary := filepath.Join(string(folder), ".ready")
	if err := os.WriteFile(temporary, append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.Rename(temporary, folder.Ready()); err != nil {
		return err
	}
	_, err = fmt.Println(string(text))
	return err
}
