// Package counters writes and reads files whose content tells whether something of it is missing: lines of nine digits,
// 1, 2, 3 and so on. Whoever wrote number n has had number n-1 on disk.
package counters

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

const line = 10 // bytes, the newline included

// A File is open for appending.
type File struct {
	file *os.File
	last int64
}

// Open makes the file, or goes on with it. A line that was cut in its middle is written anew.
func Open(path string) (*File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &File{file: file, last: info.Size() / line}, nil
}

// Last is the last counter that is on disk.
func (f *File) Last() int64 { return f.last }

// Append writes the next counter and returns when it is on disk.
func (f *File) Append() error {
	if _, err := f.file.WriteAt(fmt.Appendf(nil, "%09d\n", f.last+1), f.last*line); err != nil {
		return err
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	f.last++
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Check tells the last counter, and refuses a file in which one is missing or wrong. A cut last line is no counter.
func Check(path string) (last int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	reader, read := bufio.NewReader(file), make([]byte, line)
	for {
		_, err := io.ReadFull(reader, read)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		if want := fmt.Appendf(nil, "%09d\n", last+1); !bytes.Equal(read, want) {
			return last, fmt.Errorf("%s: after counter %d there is %q", path, last, read)
		}
		last++
	}
}

// Sum is a file's SHA-256 in hexadecimal digits.
func Sum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
