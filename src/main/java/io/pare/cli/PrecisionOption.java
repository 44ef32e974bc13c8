package io.pare.cli;

import io.pare.exec.backend.Precision;
import picocli.CommandLine.Option;

/** In which numbers a command computes. */
final class PrecisionOption {
    @Option(names = "--precision", paramLabel = "NAME", defaultValue = "fp32",
            description = "Numbers between layers: fp32, or bf16, which is faster and takes half the memory, on processors"
                    + " that have it; weights and all sums are fp32 in both (default: ${DEFAULT-VALUE}).")
    private Precision precision;

    /** What was asked for. */
    Precision get() {
        return checked(precision);
    }

    /** The precision itself, if this machine can compute so. */
    static Precision checked(Precision wanted) {
        wanted.obstacle().ifPresent(reason -> {
            throw new UsageException("--precision " + wanted + " " + reason + "; use --precision fp32");
        });
        return wanted;
    }
}
