// Every verb's entry into the program, in the order of the help.
#pragma once

namespace tidemark::cli {

class Program;

void add_record(Program& program);
void add_list(Program& program);
void add_show(Program& program);
void add_get(Program& program);
void add_log(Program& program);
void add_diff(Program& program);
void add_serve(Program& program);
void add_restore(Program& program);
void add_undo(Program& program);
void add_apply(Program& program);
void add_copy(Program& program);
void add_store_verbs(Program& program);
void add_verify(Program& program);
void add_doctor(Program& program);
void add_rekey(Program& program);
void add_version(Program& program);
void add_man(Program& program);  // for packagers: in no list

}  // namespace tidemark::cli
