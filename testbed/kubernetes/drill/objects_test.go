package drill

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// One request to the bed's object store, signed as AWS's version 4 wants it: its status and body.
func (b *drilled) object(method, key string, body []byte, patience time.Duration) (*http.Response, string, error) {
	b.Helper()
	store := b.ready.S3
	request, err := http.NewRequest(method, store.Endpoint+"/"+store.Bucket+"/"+key, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	now, digest := time.Now().UTC().Format("20060102T150405Z"), fmt.Sprintf("%x", sha256.Sum256(body))
	scope := strings.Join([]string{now[:8], store.Region, "s3", "aws4_request"}, "/")
	const signed = "host;x-amz-content-sha256;x-amz-date"
	canonical := strings.Join([]string{method, request.URL.EscapedPath(), "", "host:" + request.URL.Host,
		"x-amz-content-sha256:" + digest, "x-amz-date:" + now, "", signed, digest}, "\n")
	signature := []byte("AWS4" + store.SecretKey)
	for _, word := range append(strings.Split(scope, "/"), fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", now, scope, sha256.Sum256([]byte(canonical)))) {
		mac := hmac.New(sha256.New, signature)
		mac.Write([]byte(word))
		signature = mac.Sum(nil)
	}
	request.Header.Set("X-Amz-Date", now)
	request.Header.Set("X-Amz-Content-Sha256", digest)
	request.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		store.AccessKey, scope, signed, hex.EncodeToString(signature)))
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, string(text), err
}

// An object store in the bed, that keeps what it is given, and is broken as the other servers are.
func TestAnObjectStoreIsBroken(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd", "--s3")
	expect := func(method, key, body string, status int, says string) http.Header {
		t.Helper()
		answer, text, err := bed.object(method, key, []byte(body), time.Minute)
		if err != nil || answer.StatusCode != status || !strings.Contains(text, says) {
			t.Errorf("%s %s: %v %v %q, not %d %q", method, key, answer, err, text, status, says)
			return http.Header{}
		}
		return answer.Header
	}
	content := strings.Repeat("kept ", 20000)
	expect("PUT", "one", content, 200, "")
	expect("GET", "one", "", 200, content)
	expect("GET", "two", "", 404, "NoSuchKey")

	bed.must("break", "s3", "--status", "503", "--retry-after", "2", "--times", "2", "--method", "PUT", "--path", "/backups/two$")
	expect("PUT", "three", "more", 200, "")
	for range 2 {
		if header := expect("PUT", "two", content, 503, "<Code>SlowDown</Code>"); header.Get("Retry-After") != "2" {
			t.Errorf("headers of the refusal: %v", header)
		}
	}
	expect("PUT", "two", content, 200, "")

	bed.must("break", "s3", "--black-hole")
	if _, _, err := bed.object("GET", "one", nil, time.Second); !isTimeout(err) {
		t.Errorf("a black hole: %v", err)
	}
	bed.must("break", "s3", "--cut-after", "50000")
	if _, text, err := bed.object("GET", "one", nil, time.Minute); err == nil || len(text) >= len(content) {
		t.Errorf("cut: %d bytes, %v", len(text), err)
	}
	bed.must("heal", "s3")

	bed.must("restart", "s3")
	for _, key := range []string{"one", "two"} {
		expect("GET", key, "", 200, content)
	}
	bed.must("kill", "s3")
	if answer, text, err := bed.object("GET", "one", nil, time.Minute); err == nil && answer.StatusCode < 500 {
		t.Errorf("a server that was killed answers: %v %q", answer, text)
	}
}
