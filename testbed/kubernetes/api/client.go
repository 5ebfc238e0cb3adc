// Package api is a small client of the Kubernetes API: JSON objects as they are, no types, no caches, no retries that
// a test would have to think of. Client-go would cost the command `bed` 30 MiB in each bed.
package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"tidemark.test/kubernetes/pki"
)

// Object is any JSON object.
type Object = map[string]any

// A Client speaks for one user to one API server. Several threads may use it.
type Client struct {
	base string
	http *http.Client
}

// A StatusError is an answer of 400 and more.
type StatusError struct {
	Code    int
	Reason  string
	Message string
}

func (e *StatusError) Error() string { return fmt.Sprintf("%d %s: %s", e.Code, e.Reason, e.Message) }

// New makes a client that shows a certificate of the folder. No connection is made yet.
func New(address string, keys pki.Folder, user string) (*Client, error) {
	identity, err := keys.Load(user)
	if err != nil {
		return nil, err
	}
	authority, err := keys.Pool(pki.CA)
	if err != nil {
		return nil, err
	}
	return &Client{base: "https://" + address, http: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{Certificates: []tls.Certificate{identity}, RootCAs: authority},
			MaxIdleConnsPerHost: 32,
			// One connection for all would make one cut hit every call.
			TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
		},
	}}, nil
}

// Get reads a path into the value, unless that is nil.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.Do(ctx, http.MethodGet, path, "", nil, into)
}

// Post creates an object.
func (c *Client) Post(ctx context.Context, path string, object, into any) error {
	return c.Do(ctx, http.MethodPost, path, "application/json", object, into)
}

// Patch merges a change into an object.
func (c *Client) Patch(ctx context.Context, path string, change, into any) error {
	return c.Do(ctx, http.MethodPatch, path, "application/merge-patch+json", change, into)
}

// Delete deletes an object; what hangs on it goes in the background.
func (c *Client) Delete(ctx context.Context, path string) error {
	return c.Do(ctx, http.MethodDelete, path+"?propagationPolicy=Background", "", nil, nil)
}

// Apply makes an object as a YAML text says, whether it is there already or not.
func (c *Client) Apply(ctx context.Context, path string, text []byte) error {
	return c.do(ctx, http.MethodPatch, path+"?fieldManager=bed&force=true", "application/apply-patch+yaml", bytes.NewReader(text), nil)
}

// Do makes one request.
func (c *Client) Do(ctx context.Context, method, path, contentType string, object, into any) error {
	var body io.Reader
	if object != nil {
		text, err := json.Marshal(object)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	return c.do(ctx, method, path, contentType, body, into)
}

func (c *Client) do(ctx context.Context, method, path, contentType string, body io.Reader, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "bed")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer.StatusCode >= 400 {
		return fmt.Errorf("%s %s: %w", method, path, statusError(answer.StatusCode, text))
	}
	if into == nil {
		return nil
	}
	// Numbers stay as they were written: 64-bit integers do not fit a float.
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func statusError(code int, text []byte) *StatusError {
	var status struct{ Reason, Message string }
	if json.Unmarshal(text, &status) != nil || status.Message == "" {
		status.Message = string(text[:min(len(text), 200)])
	}
	return &StatusError{Code: code, Reason: status.Reason, Message: status.Message}
}
