package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mpi.Mpirun;
import io.pare.mpi.Namespaces;
import io.pare.train.StepCost.Link;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * Speed of several ranks on a machine that has nothing else to do, and what {@link StepCost} makes of it: below three minutes in
 * all.
 */
@Tag("process")
@Tag("native")
@Tag("long")
@Timeout(3600)
class RankSpeedTest {
    private static final long FEW = 1024;
    private static final long MANY = 4 << 20;
    /** Far more than a launch takes, for a machine that has other work. */
    private static final long SECONDS = 600;
    private static final double AGAINST_ONE = 1.7;
    private static final double AGAINST_THREADS = 0.95;
    private static final double OFF = 0.15;
    private static final double WAITING = 0.10;

    @TempDir
    Path folder;

    /** A network, the batch of all ranks, and the steps of a turn: between half a second and two of one process. */
    private record Workload(String model, int batch, int steps) {
        static final List<Workload> ALL = List.of(new Workload("resnet20", 128, 5), new Workload("lenet5", 256, 20));
    }

    /** What a program printed of a candidate. */
    private record Step(int count, double median, double least, double waiting, long bytes) {}

    private static List<String> launched(List<String> launcher, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(launcher);
        command.addAll(Mpirun.program(List.of("-XX:TieredStopAtLevel=4", "-XX:+UseSerialGC"),
                System.getProperty("java.class.path"), RankSpeedProgram.class.getName(), args));
        Mpirun.Ended ended = Mpirun.run(command, SECONDS);
        assertEquals(0, ended.code(), ended.err());
        return ended.out().lines().toList();
    }

    private static List<String> ranks(int count) {
        return Stream.concat(Mpirun.launcher().stream(), Stream.of("-n", Integer.toString(count))).toList();
    }

    /** Steps of candidates that take turns, by name. */
    private static Map<String, Step> turns(List<String> launcher, Workload of, String... candidates)
            throws IOException, InterruptedException {
        List<String> args = new ArrayList<>(
                List.of("turns", of.model(), Integer.toString(of.batch()), Integer.toString(of.steps())));
        args.addAll(List.of(candidates));
        Map<String, Step> found = new LinkedHashMap<>();
        for (String line : launched(launcher, args.toArray(String[]::new))) {
            String[] words = line.split(" ");
            found.put(words[0], new Step(Integer.parseInt(words[1]), Double.parseDouble(words[2]),
                    Double.parseDouble(words[3]), Double.parseDouble(words[4]), Long.parseLong(words[5])));
        }
        found.forEach((name, step) -> System.out.printf(
                "%s, batch %d, %s: %d steps, median %.2f ms, least %.2f ms, %.1f %% waiting, %,d bytes%n", of.model(),
                of.batch(), name, step.count(), 1e3 * step.median(), 1e3 * step.least(), 100 * step.waiting(),
                step.bytes()));
        return found;
    }

    /** Says whether a bar is met, and remembers to fail if not. */
    private static Executable bar(boolean met, String words) {
        String line = words + (met ? ": met" : ": MISSED");
        System.out.println(line);
        return () -> assertTrue(met, line);
    }

    @Test
    void ranksAgainstOneProcessAgainstThreadsAndAgainstTheModel() throws IOException, InterruptedException {
        Mpirun.assumed();
        Link memory = link();
        List<Executable> bars = new ArrayList<>();
        for (Workload each : Workload.ALL) {
            Map<String, Step> two = turns(ranks(2), each, "threads:1", "threads:2", "dense", "part:4", "part:2");
            Map<String, Step> four = turns(ranks(4), each, "dense", "part:4", "part:2");
            Step alone = two.get("threads:1");
            Step threads = two.get("threads:2");
            Step both = two.get("dense");
            double againstOne = alone.median() / both.median();
            bars.add(bar(againstOne >= AGAINST_ONE, "%s: 2 ranks %.3f times one (least times: %.3f), bar %.2f"
                    .formatted(each.model(), againstOne, alone.least() / both.least(), AGAINST_ONE)));
            double againstThreads = threads.median() / both.median();
            bars.add(bar(againstThreads >= AGAINST_THREADS,
                    "%s: 2 ranks %.3f times 2 threads (least times: %.3f), bar %.2f".formatted(each.model(),
                            againstThreads, threads.least() / both.least(), AGAINST_THREADS)));
            bars.add(foretold(each, 1, alone, two, memory));
            bars.add(foretold(each, 2, both, two, memory));
            bars.add(foretold(each, 4, four.get("dense"), four, memory));
        }
        assertAll(bars);
    }

    /** The model by the times of a quarter and of half the batch in one process, which took turns with what it foretells. */
    private static Executable foretold(Workload of, int ranks, Step measured, Map<String, Step> known, Link memory) {
        StepCost cost = StepCost.of(of.batch() / 4, known.get("part:4").median(), of.batch() / 2,
                known.get("part:2").median(), List.of(Math.max(1, measured.bytes())));
        int processors = Runtime.getRuntime().availableProcessors();
        double said = cost.seconds(of.batch(), ranks, Math.min(1.0, (double) processors / ranks), memory);
        double error = said / measured.median() - 1;
        return bar(Math.abs(error) <= OFF,
                "%s, batch %d, %d ranks: %.2f ms, the model says %.2f ms, %+.1f %%, bar %.0f %%".formatted(of.model(),
                        of.batch(), ranks, 1e3 * measured.median(), 1e3 * said, 100 * error, 100 * OFF));
    }

    @Test
    void whatRanksDivideOfZAndU() throws IOException, InterruptedException {
        Mpirun.assumed();
        List<Executable> bars = new ArrayList<>();
        for (String model : List.of("resnet20", "lenet5")) {
            double alone = 0;
            for (String line : launched(ranks(2), "sets", model)) {
                String[] words = line.split("\\|");
                double median = 1e3 * Double.parseDouble(words[4]);
                System.out.printf("%s, %s: %s sets divided, %,d bytes, median %.3f ms, least %.3f ms%n", words[0],
                        words[1], words[2], Long.parseLong(words[3]), median, 1e3 * Double.parseDouble(words[5]));
                if (words[1].equals("alone")) {
                    alone = median;
                } else if (words[1].equals("as it pays")) {
                    bars.add(bar(median <= 1.1 * alone,
                            "%s: %.2f times as fast as each for itself, bar 0.91".formatted(words[0],
                                    alone / median)));
                }
            }
        }
        assertAll(bars);
    }

    private static Link link() throws IOException, InterruptedException {
        String line = launched(ranks(2), "link").getFirst();
        System.out.println(line);
        Map<Long, Double> times = new LinkedHashMap<>();
        Arrays.stream(line.split(" ")).skip(1).map(word -> word.split(":"))
                .forEach(word -> times.put(Long.parseLong(word[0]), Double.parseDouble(word[1])));
        return Link.of(FEW, times.get(FEW), MANY, times.get(MANY), false);
    }

    @Test
    void maskedGradientsPassASlowNetworkWhileOthersCompute() throws IOException, InterruptedException {
        Mpirun.assumed();
        try (Namespaces machines = Namespaces.joined(folder, "100mbit")) {
            Map<String, Step> found =
                    turns(machines.launcher(), new Workload("lenet5", 512, 20), "masked", "dense");
            double waiting = found.get("masked").waiting();
            assertAll(
                    bar(waiting <= WAITING, "100 Mb/s, LeNet-5, 256 images a rank, masked: %.2f %% waiting, bar %.0f %%"
                            .formatted(100 * waiting, 100 * WAITING)));
        }
    }
}
