package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.ffm.dnnl.dnnl_version_t;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * oneDNN's CPU engine and the one stream on which everything runs. Lives as long as the process; thread-safe.
 *
 * <p>With OpenMP a primitive has finished when its execution returns; {@link #await()} is for builds of oneDNN with
 * another runtime, and costs one call per step.
 */
public final class DnnlEngine {
    private static final Map<Integer, String> ISA_NAMES = Map.ofEntries(
            Map.entry(dnnl_h.dnnl_cpu_isa_default(), "default"),
            Map.entry(dnnl_h.dnnl_cpu_isa_sse41(), "sse41"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx(), "avx"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx2(), "avx2"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx2_vnni(), "avx2_vnni"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx2_vnni_2(), "avx2_vnni_2"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx512_core(), "avx512_core"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx512_core_vnni(), "avx512_core_vnni"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx512_core_bf16(), "avx512_core_bf16"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx512_core_fp16(), "avx512_core_fp16"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx512_core_amx(), "avx512_core_amx"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx512_core_amx_fp16(), "avx512_core_amx_fp16"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx10_2(), "avx10_2"),
            Map.entry(dnnl_h.dnnl_cpu_isa_avx10_2_amx_2(), "avx10_2_amx_2"));

    /** Instruction sets that multiply bfloat16; below them oneDNN computes it in several steps, slower than floats. */
    private static final Set<String> BF16_ISAS = Set.of("avx512_core_bf16", "avx512_core_fp16", "avx512_core_amx",
            "avx512_core_amx_fp16", "avx10_2", "avx10_2_amx_2");

    private static final class Holder {
        static final DnnlEngine ENGINE = new DnnlEngine();
    }

    private final MemorySegment engine;
    private final MemorySegment stream;
    private final String version;

    private DnnlEngine() {
        Natives.require();
        MemorySegment found = Dnnl.sized(dnnl_h.dnnl_version(), dnnl_version_t.sizeof());
        this.version = dnnl_version_t.major(found) + "." + dnnl_version_t.minor(found) + "."
                + dnnl_version_t.patch(found);
        if (dnnl_version_t.major(found) != dnnl_h.DNNL_VERSION_MAJOR()) {
            throw new IllegalStateException("the oneDNN that was loaded is " + version + "; this version of Pare needs "
                    + dnnl_h.DNNL_VERSION_MAJOR() + ".x: take -D" + Natives.PATH_PROPERTY + " away or point it at one");
        }
        this.engine = Dnnl.create(out -> dnnl_h.dnnl_engine_create(out, dnnl_h.dnnl_cpu(), 0), "dnnl_engine_create",
                "cpu");
        this.stream = Dnnl.create(
                out -> dnnl_h.dnnl_stream_create(out, engine, dnnl_h.dnnl_stream_default_flags()),
                "dnnl_stream_create", "cpu");
    }

    /**
     * The engine of this process; loads the native libraries.
     *
     * @throws io.pare.natives.NativesUnavailableException if they cannot be had
     */
    public static DnnlEngine get() {
        return Holder.ENGINE;
    }

    /** The library's version, e.g. {@code 3.13.0}. */
    public String version() {
        return version;
    }

    /** The instruction set that oneDNN generates code for, e.g. {@code avx512_core_bf16}. */
    public String isa() {
        int isa = dnnl_h.dnnl_get_effective_cpu_isa();
        return ISA_NAMES.getOrDefault(isa, "0x" + Integer.toHexString(isa));
    }

    /**
     * What {@link DataType#BF16} needs and this process lacks, to follow the name of what was asked for; empty if nothing.
     * Loads the native libraries unless they are off.
     */
    public static Optional<String> obstacleToBf16() {
        if (!Natives.enabled()) {
            return Optional.of("needs the native libraries, which are off or cannot be had (see doctor)");
        }
        String isa = get().isa();
        return BF16_ISAS.contains(isa)
                ? Optional.empty()
                : Optional.of("needs a processor with bf16 instructions (AVX512_BF16 or AMX), oneDNN finds " + isa);
    }

    /** Number of threads that primitives use. */
    public int threads() {
        return NativeThreads.get();
    }

    /** Returns when everything that was executed has finished. */
    public void await() {
        Dnnl.check(dnnl_h.dnnl_stream_wait(stream), "dnnl_stream_wait", "cpu");
    }

    /** Makes oneDNN print each primitive that it creates (2) or executes (1) to standard output; 0 for silence. */
    public void verbose(int level) {
        Dnnl.check(dnnl_h.dnnl_set_verbose(level), "dnnl_set_verbose", level);
    }

    MemorySegment handle() {
        return engine;
    }

    MemorySegment stream() {
        return stream;
    }
}
