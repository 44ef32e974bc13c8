package io.pare.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pare.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** The C++ peers, from {@code target/cmake/libpare_baselines.so} or {@code -Dpare.baselines}. */
@SuppressWarnings("restricted")
final class Baselines {
    /** How the quickselect finds its pivot. */
    enum Pivot {
        /** The median of a sample, as libraries of sorts do. */
        MEDIAN,
        /** The sample's value near the rank sought: fewer rounds. */
        NEAR_RANK
    }

    private static final Path LIBRARY =
            Path.of(System.getProperty("pare.baselines", "target/cmake/libpare_baselines.so"));

    private final SymbolLookup library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    private final MethodHandle nthElement = handle("baseline_nth_element",
            FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG));
    private final MethodHandle quickselect = handle("baseline_quickselect",
            FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private final MethodHandle quickselectBits = handle("baseline_quickselect_bits",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
    private final MethodHandle lloyd = handle("baseline_lloyd",
            FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG));
    private final MethodHandle build = handle("baseline_build", FunctionDescriptor.of(ADDRESS));

    /** Why there are none, with the remedy; {@code null} if there are. */
    static String obstacle() {
        return Files.exists(LIBRARY) ? null
                : "no " + LIBRARY
                        + "; cmake -S cmake -B target/cmake && cmake --build target/cmake --target pare_baselines";
    }

    private MethodHandle handle(String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), descriptor);
    }

    /** Compiler and options. */
    String build() {
        try {
            return ((MemorySegment) build.invokeExact()).reinterpret(1024).getString(0);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Top-k of {@code n} floats by std::nth_element, then a mask. */
    void nthElement(MemorySegment x, MemorySegment z, MemorySegment scratch, long n, long k) throws Throwable {
        nthElement.invokeExact(x, z, scratch, n, k);
    }

    /** The widest vectors of the quickselect here that are at most so wide; 0 if there are none. */
    long quickselectBits(long most) {
        try {
            return (long) quickselectBits.invokeExact(most);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The same for vectors as wide as those of Pare's kernels, so that a forced width holds for both. */
    long quickselectBits() {
        String width = Kernels.active().name().replaceAll("\\D", "");
        return quickselectBits(width.isEmpty() ? Long.MAX_VALUE : Long.parseLong(width));
    }

    /** Top-k of {@code n} floats by a quickselect on vectors of {@code bits}, which {@link #quickselectBits} gave, then a mask. */
    void quickselect(MemorySegment x, MemorySegment z, MemorySegment scratch, long n, long k, long bits, Pivot pivot)
            throws Throwable {
        quickselect.invokeExact(x, z, scratch, n, k, bits, (long) pivot.ordinal());
    }

    /** Lloyd's algorithm from the codebook given, then the values; returns the rounds. */
    long lloyd(MemorySegment x, MemorySegment z, long n, MemorySegment codebook, long m, long most) throws Throwable {
        return (long) lloyd.invokeExact(x, z, n, codebook, m, most);
    }
}
