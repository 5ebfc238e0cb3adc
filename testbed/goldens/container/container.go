// Package container writes and reads the file that goldens are kept in: a header, then records of named columns.
// README.md beside this folder has the layout byte by byte.
package container

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	magic         = "TMGOLDEN"
	formatVersion = 1
	countOffset   = int64(len(magic) + 4)

	// longest is what one field may claim: a reader asks for memory only below it.
	longest = 64 << 20
)

// Header says what made the file. Count is filled in by Close.
type Header struct {
	Count      uint32
	Seed       uint64
	Random     uint32   // random objects per type
	Kubernetes string   // e.g. v0.36.3: the version of the modules the bytes come from
	Columns    []string // what the fields of every record are
}

// Record has one field per column.
type Record [][]byte

// Writer appends records to a file. The first failure stays; Close returns it.
type Writer struct {
	file    *os.File
	buffer  *bufio.Writer
	columns int
	count   uint32
	err     error
}

// Create starts a file, replacing one of that name.
func Create(path string, header Header) (*Writer, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file, buffer: bufio.NewWriterSize(file, 1<<20), columns: len(header.Columns)}
	w.bytes([]byte(magic))
	w.number(formatVersion)
	w.number(0)
	w.write(binary.LittleEndian.AppendUint64(nil, header.Seed))
	w.number(header.Random)
	w.field([]byte(header.Kubernetes))
	w.number(uint32(len(header.Columns)))
	for _, name := range header.Columns {
		w.field([]byte(name))
	}
	return w, nil
}

// Add appends one record.
func (w *Writer) Add(record Record) {
	if len(record) != w.columns && w.err == nil {
		w.err = fmt.Errorf("record %d has %d fields, the header has %d columns", w.count, len(record), w.columns)
	}
	for _, field := range record {
		w.field(field)
	}
	w.count++
}

// Close writes the count into the header and closes the file.
func (w *Writer) Close() error {
	err := w.err
	if err == nil {
		err = w.buffer.Flush()
	}
	if err == nil {
		_, err = w.file.WriteAt(binary.LittleEndian.AppendUint32(nil, w.count), countOffset)
	}
	return errors.Join(err, w.file.Close())
}

func (w *Writer) bytes(p []byte) { w.write(p) }

func (w *Writer) number(n uint32) { w.write(binary.LittleEndian.AppendUint32(nil, n)) }

func (w *Writer) field(p []byte) {
	if len(p) > longest && w.err == nil {
		w.err = fmt.Errorf("record %d has a field of %d bytes, more than %d", w.count, len(p), longest)
	}
	w.number(uint32(len(p)))
	w.write(p)
}

func (w *Writer) write(p []byte) {
	if w.err == nil {
		_, w.err = w.buffer.Write(p)
	}
}

// Read reads a whole file; anything behind the last record is an error.
func Read(path string) (Header, []Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return Header{}, nil, err
	}
	defer file.Close()
	r := &reader{from: bufio.NewReaderSize(file, 1<<20)}
	header := r.header()
	var records []Record
	for i := uint32(0); i < header.Count && r.err == nil; i++ {
		record := make(Record, len(header.Columns))
		for column := range record {
			record[column] = r.field()
		}
		records = append(records, record)
	}
	if r.err == nil {
		if _, err := r.from.ReadByte(); err != io.EOF {
			r.err = errors.New("bytes behind the last record")
		}
	}
	if r.err != nil {
		return header, nil, fmt.Errorf("%s: record %d: %w", path, len(records), r.err)
	}
	return header, records, nil
}

type reader struct {
	from *bufio.Reader
	err  error
}

func (r *reader) header() Header {
	if start := r.take(len(magic)); r.err == nil && string(start) != magic {
		r.err = fmt.Errorf("starts with %q, not %q", start, magic)
	}
	if version := r.number(); r.err == nil && version != formatVersion {
		r.err = fmt.Errorf("format version %d, not %d", version, formatVersion)
	}
	header := Header{Count: r.number()}
	if seed := r.take(8); r.err == nil {
		header.Seed = binary.LittleEndian.Uint64(seed)
	}
	header.Random = r.number()
	header.Kubernetes = string(r.field())
	for columns := r.number(); columns > 0 && r.err == nil; columns-- {
		header.Columns = append(header.Columns, string(r.field()))
	}
	return header
}

func (r *reader) number() uint32 {
	p := r.take(4)
	if r.err != nil {
		return 0
	}
	return binary.LittleEndian.Uint32(p)
}

func (r *reader) field() []byte {
	n := r.number()
	if n > longest && r.err == nil {
		r.err = fmt.Errorf("a field claims %d bytes, more than %d", n, longest)
	}
	return r.take(int(n))
}

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	p := make([]byte, n)
	if _, r.err = io.ReadFull(r.from, p); r.err == io.EOF {
		r.err = io.ErrUnexpectedEOF
	}
	return p
}
