target_link_libraries(tm_base PRIVATE spdlog::spdlog)
