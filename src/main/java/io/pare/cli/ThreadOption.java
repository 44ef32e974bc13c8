package io.pare.cli;

import io.pare.natives.NativeThreads;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The one knob for all thread pools. */
final class ThreadOption {
    static final int MOST = 1024;

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    private Integer threads;

    @Option(names = "--threads", paramLabel = "N",
            description = "Threads that compute, for all pools together (default: all processors).")
    void threads(int wanted) {
        if (wanted < 1 || wanted > MOST) {
            throw new ParameterException(spec.commandLine(),
                    "--threads is " + wanted + ", must be from 1 to " + MOST + "; leave it out to use all processors");
        }
        threads = wanted;
    }

    /** The number asked for, or {@code otherwise}. */
    int orElse(int otherwise) {
        return threads == null ? otherwise : threads;
    }

    /** The processors that this JVM may use. */
    static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    /** Sets every pool. */
    static void apply(int threads) {
        NativeThreads.set(threads);
    }
}
