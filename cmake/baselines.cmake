# The C++ baselines of bench/: target/cmake/libpare_baselines.so
#
#   cmake -S cmake -B target/cmake && cmake --build target/cmake --target pare_baselines
add_library(pare_baselines SHARED ${PARE_ROOT}/native/baselines/projections.cpp)
target_compile_features(pare_baselines PRIVATE cxx_std_17)
target_compile_options(pare_baselines PRIVATE -O3 -march=native -Wall -Wextra -Werror)
set_target_properties(pare_baselines PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
