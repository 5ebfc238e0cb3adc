module tidemark.test/work

go 1.26
