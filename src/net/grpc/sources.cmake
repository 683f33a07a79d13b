# Sources of net/tls and net/grpc, included by net/CMakeLists.txt.
set(NET_GRPC_HEADERS
  tls/context.h
  tls/engine.h
  tls/names.h)
set(NET_GRPC_SOURCES
  tls/context.cc
  tls/engine.cc
  tls/names.cc)
