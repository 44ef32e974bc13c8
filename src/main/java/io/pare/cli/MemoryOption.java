package io.pare.cli;

import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.natives.Natives;
import io.pare.net.Model;
import io.pare.train.TrainingMemory;
import io.pare.train.TrainingSettings;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The option that bounds memory, and how trainings are made to fit. */
final class MemoryOption {
    /**
     * What the process takes besides weights, activations and data: the JVM with its heap and compiled code, oneDNN,
     * OpenBLAS. A VGG-16 step was measured at 260 MB.
     */
    static final long PROCESS = 300_000_000;

    private static final List<String> UNITS = List.of("K", "M", "G", "T");

    @Option(names = "--memory-limit", paramLabel = "SIZE", converter = Size.class,
            description = "Resident memory to stay within, such as 4G or 900M (of 1024). What the run needs is computed"
                    + " before anything is allocated; a batch that does not fit is seen in several passes, as by"
                    + " --accumulate, then with --recompute, and what cannot fit is refused.")
    private Long limit;

    @Option(names = "--recompute",
            description = "Compute most values a second time in the backward pass rather than keep them: less memory, up to"
                    + " a third more time, the same bits.")
    private boolean recompute;

    /** Whether memory is to be saved. */
    boolean given() {
        return limit != null || recompute;
    }

    boolean recompute() {
        return recompute;
    }

    /** Bytes of images that lie in memory. */
    static long images(Corpus corpus) {
        long bytes = 0;
        for (Dataset set : new Dataset[]{corpus.train(), corpus.validation(), corpus.test()}) {
            bytes += set == null || set.slow() ? 0 : (long) set.size() * set.imageBytes();
        }
        return bytes;
    }

    /**
     * The settings in as few passes a step as fit, values computed twice if asked for, or if nothing fits else.
     *
     * @param settings of trainings that follow each other
     * @param besides bytes that are needed besides training and {@link #PROCESS}
     * @param what takes these bytes, for the message
     * @param fixed whether the passes may not change any more
     * @throws UsageException if nothing fits, with what would
     */
    List<TrainingSettings> fit(Model model, List<TrainingSettings> settings, List<Dataset> evaluated, long besides,
            String what, boolean fixed, Consumer<String> notes) {
        List<TrainingSettings> tried = settings;
        TrainingMemory needed = null;
        for (List<TrainingSettings> next : ways(settings, fixed)) {
            if (limit == null) {
                return next;
            }
            if (needed == null || needed.total() > limit - besides - PROCESS) {
                tried = next;
                needed = TrainingMemory.of(model, tried, Natives.enabled(), evaluated);
            }
        }
        long all = needed.total() + besides + PROCESS;
        TrainingSettings largest =
                tried.stream().max(Comparator.comparingInt(TrainingSettings::passSize)).orElseThrow();
        if (all > limit) {
            throw new UsageException(String.format(Locale.ROOT,
                    "--memory-limit %s does not hold %s, batch %d: %s takes %s, %s %s, the process %s;"
                            + " give at least --memory-limit %s",
                    words(limit), model.name(), largest.batchSize(),
                    fixed ? "the run, as it was begun," : "training on one image at a time, values computed twice,",
                    needed, what,
                    words(besides), words(PROCESS), words(all)));
        }
        notes.accept(String.format(Locale.ROOT, "memory: %s of %s planned: batches of %d in %s%s; training %s, %s %s,"
                + " the process %s", words(all), words(limit), largest.batchSize(),
                largest.accumulate() == 1
                        ? "one pass"
                        : largest.accumulate() + " passes of " + largest.passSize() + " images",
                largest.recompute() ? ", values computed twice" : "",
                needed, what, words(besides), words(PROCESS)));
        return tried;
    }

    /** From what costs least to what takes least memory. */
    private Set<List<TrainingSettings>> ways(List<TrainingSettings> settings, boolean fixed) {
        boolean asked = recompute || settings.stream().anyMatch(TrainingSettings::recompute);
        int most = fixed ? 1 : settings.stream().mapToInt(TrainingSettings::batchSize).max().orElse(1);
        Set<List<TrainingSettings>> ways = new LinkedHashSet<>();
        for (boolean recomputing : asked ? new boolean[]{true} : new boolean[]{false, true}) {
            for (int passes = 1; passes <= most; passes++) {
                ways.add(inPasses(settings, passes, false, recomputing));
                if (!fixed) {
                    ways.add(inPasses(settings, passes, true, recomputing));
                }
            }
        }
        return ways;
    }

    /** Each in so many passes, or in the next larger number that divides its batch. */
    private static List<TrainingSettings> inPasses(List<TrainingSettings> settings, int passes,
            boolean smallEvaluations, boolean recomputing) {
        return settings.stream().map(each -> {
            int next = Math.min(Math.max(passes, each.accumulate()), each.batchSize());
            while (each.batchSize() % next != 0) {
                next++;
            }
            return each.in(next, smallEvaluations ? each.batchSize() / next : each.evaluationBatch(),
                    recomputing);
        }).toList();
    }

    /** Rounded up, in units of 1024, as the option takes them. */
    static String words(long bytes) {
        return bytes % (1L << 30) == 0 && bytes > 0 ? (bytes >> 30) + "G" : Math.ceilDiv(bytes, 1L << 20) + "M";
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
