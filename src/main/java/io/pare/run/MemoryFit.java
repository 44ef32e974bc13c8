package io.pare.run;

import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.mpi.Ranks;
import io.pare.natives.Natives;
import io.pare.net.Net;
import io.pare.train.TrainingMemory;
import io.pare.train.TrainingSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes trainings fit into a memory limit: a step sees its batch in more passes, then values are computed twice. What a
 * training needs is computed; nothing is allocated. Immutable, so any thread may use it.
 *
 * @param limit resident bytes to stay within; {@code null} for no limit
 * @param recompute whether values are computed twice in any case
 */
public record MemoryFit(@Nullable Long limit, boolean recompute) {
    /** As much as it takes. */
    public static final MemoryFit UNLIMITED = new MemoryFit(null, false);
    /**
     * What the process takes besides weights, activations and data: the JVM with its heap and compiled code, oneDNN,
     * OpenBLAS. A VGG-16 step was measured at 260 MB.
     */
    public static final long PROCESS = 300_000_000;

    /**
     * Refuses a limit that is none.
     *
     * @throws IllegalArgumentException if the limit is below 1
     */
    public MemoryFit {
        if (limit != null && limit < 1) {
            throw new IllegalArgumentException("a memory limit of " + limit + " bytes, must be at least 1");
        }
    }

    /**
     * {@return a fit within so many bytes}
     *
     * @param limit of the process, at least 1
     */
    public static MemoryFit of(long limit) {
        return new MemoryFit(limit, false);
    }

    /**
     * Within the memory of the container that this process runs in: what jobs stay within unless they are told otherwise.
     *
     * @return a fit without a limit where there is no container, or one that is free to take all
     */
    public static MemoryFit container() {
        return container(Path.of("/sys/fs/cgroup"));
    }

    /**
     * Within the memory of the containers that several processes run in. Those of a machine share it evenly, and all stay
     * within the smallest share, so that they plan alike.
     *
     * @param ranks the processes, all of which call
     * @return a fit without a limit where no process has one
     */
    public static MemoryFit container(Ranks ranks) {
        return shared(ranks, container());
    }

    /** By what each process's own container allows it. */
    static MemoryFit shared(Ranks ranks, MemoryFit container) {
        // All ask how many are here, those too that have no limit: they meet in it.
        int here = ranks.here();
        Long own = container.limit();
        long share = own == null ? Long.MAX_VALUE : Math.max(1, own / here);
        byte[] told = ByteBuffer.allocate(Long.BYTES).putLong(share).array();
        long least = Arrays.stream(ranks.gather(told)).mapToLong(each -> ByteBuffer.wrap(each).getLong()).min()
                .orElseThrow();
        return least == Long.MAX_VALUE ? UNLIMITED : of(least);
    }

    /** By the files of control groups of version 2 or 1, as a container sees them. */
    static MemoryFit container(Path groups) {
        for (String file : List.of("memory.max", "memory/memory.limit_in_bytes")) {
            try {
                String text = Files.readString(groups.resolve(file)).strip();
                // Without a limit it is "max", or more than any machine has.
                if (text.matches("[1-9][0-9]{0,14}")) {
                    return of(Long.parseLong(text));
                }
            } catch (IOException e) {
                // Another version, or no container.
            }
        }
        return UNLIMITED;
    }

    /** {@return whether memory is to be saved} */
    public boolean given() {
        return limit != null || recompute;
    }

    /**
     * {@return bytes of images that lie in memory}
     *
     * @param corpus whose images are counted
     */
    public static long images(Corpus corpus) {
        long bytes = 0;
        for (Dataset set : new Dataset[]{corpus.train(), corpus.validation(), corpus.test()}) {
            bytes += set == null ? 0 : set.memory();
        }
        return bytes;
    }

    /**
     * {@return the settings in as few passes a step as fit, values computed twice if asked for, or if nothing fits
     * else}
     *
     * @param model that is trained
     * @param settings of trainings that follow each other, as this process sees them among others
     * @param evaluated data sets that are evaluated in between
     * @param besides bytes that are needed besides training and {@link #PROCESS}
     * @param what takes these bytes, for the message
     * @param fixed whether the passes may not change any more
     * @param notes takes a line that says what is planned, where there is a limit
     * @throws RunException if nothing fits, with what would
     */
    public List<TrainingSettings> fit(Net model, List<TrainingSettings> settings, List<Dataset> evaluated,
            long besides, String what, boolean fixed, Consumer<String> notes) {
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
            throw new RunException(String.format(Locale.ROOT,
                    "--memory-limit %s does not hold %s, batch %d: %s takes %s, %s %s, the process %s;"
                            + " give at least --memory-limit %s",
                    words(limit), model.name(), largest.batchSize(),
                    fixed ? "the run, as it was begun," : "training on one image at a time, values computed twice,",
                    needed, what,
                    words(besides), words(PROCESS), words(all)));
        }
        notes.accept(String.format(Locale.ROOT, "memory%s: %s of %s planned: batches of %d in %s%s; training %s, %s %s,"
                + " the process %s", largest.ranks() == 1 ? "" : " of each rank", words(all), words(limit),
                largest.batchSize(),
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
        int most = fixed ? 1 : settings.stream().mapToInt(each -> each.batchSize() / each.ranks()).max().orElse(1);
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

    /** Each in so many passes, or in the next larger number that divides this process's part of its batch. */
    private static List<TrainingSettings> inPasses(List<TrainingSettings> settings, int passes,
            boolean smallEvaluations, boolean recomputing) {
        return settings.stream().map(each -> {
            int part = each.batchSize() / each.ranks();
            int next = Math.min(Math.max(passes, each.accumulate()), part);
            while (part % next != 0) {
                next++;
            }
            return each.in(next, smallEvaluations ? part / next : each.evaluationBatch(),
                    recomputing);
        }).toList();
    }

    /**
     * {@return a size such as 4G or 900M, in units of 1024, rounded up}
     *
     * @param bytes at least 0
     */
    public static String words(long bytes) {
        return bytes % (1L << 30) == 0 && bytes > 0 ? (bytes >> 30) + "G" : Math.ceilDiv(bytes, 1L << 20) + "M";
    }
}
