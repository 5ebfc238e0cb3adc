# expat: object stores answer in XML. nlohmann json (header-only): credentials come as small documents.
find_package(EXPAT REQUIRED)
target_link_libraries(tm_store PRIVATE EXPAT::EXPAT)
