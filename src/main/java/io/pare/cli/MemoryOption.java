package io.pare.cli;

import io.pare.mpi.Ranks;
import io.pare.run.MemoryFit;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options that bound memory. */
final class MemoryOption {
    private static final List<String> UNITS = List.of("K", "M", "G", "T");

    @Option(names = "--memory-limit", paramLabel = "SIZE", converter = Size.class,
            description = "Resident memory to stay within, such as 4G or 900M (of 1024). What the run needs is computed"
                    + " before anything is allocated; a batch that does not fit is seen in several passes, as by"
                    + " --accumulate, then with --recompute, and what cannot fit is refused (default: a container's limit)."
                    + " Under mpirun, of each rank; ranks of a machine share the limit of their container.")
    private Long limit;

    @Option(names = "--recompute",
            description = "Compute most values a second time in the backward pass rather than keep them: less memory, up to"
                    + " a third more time, the same bits.")
    private boolean recompute;

    /** What was asked for of each of these processes, all of which call. */
    MemoryFit fit(Ranks ranks) {
        return new MemoryFit(limit == null ? MemoryFit.container(ranks).limit() : limit, recompute);
    }

    boolean recompute() {
        return recompute;
    }

    /** Reads sizes such as 900M and 1.5G. */
    static final class Size implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            String upper = text.toUpperCase(Locale.ROOT).replaceFirst("(?<=[KMGT])I?B$", "");
            int unit = upper.isEmpty() ? -1 : UNITS.indexOf(upper.substring(upper.length() - 1));
            try {
                double number = Double.parseDouble(unit < 0 ? upper : upper.substring(0, upper.length() - 1));
                double bytes = number * Math.pow(1024, unit + 1);
                if (bytes >= 1 && bytes < Long.MAX_VALUE) {
                    return (long) bytes;
                }
            } catch (NumberFormatException e) {
                throw new TypeConversionException("'" + text + "' is no size such as 4G or 900M");
            }
            throw new TypeConversionException("'" + text + "' is no size such as 4G or 900M");
        }
    }
}
