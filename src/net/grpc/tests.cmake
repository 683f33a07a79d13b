# Tests, benchmarks and fuzz targets of net/tls and net/grpc, included by net/CMakeLists.txt.
aevum_test(NAME net_tls_test
  SOURCES tls/context_test.cc
  LIBS net_testing OpenSSL::SSL OpenSSL::Crypto)

aevum_test(NAME net_grpc_message_test
  SOURCES grpc/message_test.cc grpc/snappy_frame_test.cc grpc/test_wire.cc
  LIBS aevum::net nlohmann_json::nlohmann_json)

aevum_test(NAME net_grpc_loopback_test
  SOURCES grpc/loopback_test.cc grpc/test_server.cc
  LIBS aevum::net
  LABELS threads)

aevum_test(NAME net_grpc_budget_test
  SOURCES grpc/budget_test.cc grpc/test_server.cc
  LIBS aevum::net
  LABELS threads)

aevum_test(NAME net_grpc_attack_test
  SOURCES grpc/attack_test.cc grpc/raw_peer.cc grpc/test_server.cc
  LIBS aevum::net PkgConfig::nghttp2
  LABELS threads)

aevum_test(NAME net_grpc_lifecycle_test
  SOURCES grpc/lifecycle_test.cc grpc/raw_peer.cc grpc/test_server.cc grpc/test_wire.cc
  LIBS aevum::net PkgConfig::nghttp2 nlohmann_json::nlohmann_json
  LABELS threads)

aevum_test(NAME net_grpc_tls_test
  SOURCES grpc/tls_test.cc grpc/raw_peer.cc grpc/test_server.cc
  LIBS net_testing PkgConfig::nghttp2 OpenSSL::SSL OpenSSL::Crypto
  LABELS threads)

aevum_bench(NAME net_grpc_bench
  SOURCES grpc/grpc_bench.cc
  LIBS aevum::net)

aevum_fuzz(NAME net_grpc_message_fuzz
  SOURCES grpc/message_fuzz.cc
  LIBS aevum::net
  CORPUS testdata/grpc_message_corpus)

aevum_fuzz(NAME net_grpc_session_fuzz
  SOURCES grpc/session_fuzz.cc
  LIBS aevum::net PkgConfig::nghttp2
  CORPUS testdata/grpc_session_corpus)
