module tidemark.test/worker

go 1.26
