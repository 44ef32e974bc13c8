# The C++ baselines of bench/: target/cmake/libpare_baselines.so
#
#   cmake -S cmake -B target/cmake && cmake --build target/cmake --target pare_baselines
set(baselines ${PARE_ROOT}/native/baselines)
set(baseline_flags -O3 -march=native)
string(REPLACE ";" " " baseline_text "${baseline_flags}")
add_library(pare_baselines SHARED ${baselines}/projections.cpp)
target_compile_features(pare_baselines PRIVATE cxx_std_17)
target_compile_options(pare_baselines PRIVATE ${baseline_flags} -Wall -Wextra -Werror)
target_compile_definitions(pare_baselines PRIVATE
    "PARE_BASELINES_BUILD=\"${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${baseline_text}\"")
set_target_properties(pare_baselines PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

# The quickselect on vectors: the same source for both widths, which the caller chooses from.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  foreach(width avx2:x86-64-v3 avx512:x86-64-v4)
    string(REPLACE ":" ";" width ${width})
    list(GET width 0 name)
    list(GET width 1 arch)
    add_library(pare_quickselect_${name} OBJECT ${baselines}/quickselect.cpp)
    target_compile_features(pare_quickselect_${name} PRIVATE cxx_std_17)
    target_compile_options(pare_quickselect_${name} PRIVATE -O3 -march=${arch} -mtune=native -fPIC -Wall -Wextra -Werror)
    target_compile_definitions(pare_quickselect_${name} PRIVATE PARE_QUICKSELECT=quickselect_${name})
    target_sources(pare_baselines PRIVATE $<TARGET_OBJECTS:pare_quickselect_${name}>)
  endforeach()
endif()
