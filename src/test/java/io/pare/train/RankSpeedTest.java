package io.pare.train;

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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Speed of several ranks on a machine that has nothing else to do, and what {@link StepCost} makes of it. */
@Tag("process")
@Tag("native")
@Tag("long")
@Timeout(3600)
class RankSpeedTest {
    private static final int ROUNDS = 3;
    private static final long FEW = 1024;
    private static final long MANY = 4 << 20;

    @TempDir
    Path folder;

    /** What a program printed of a step. */
    private record Step(double median, double least, double waiting, long bytes) {}

    private static List<String> program(String... args) {
        return Mpirun.program(List.of("-XX:TieredStopAtLevel=4", "-XX:+UseSerialGC"),
                System.getProperty("java.class.path"),
                RankSpeedProgram.class.getName(), args);
    }

    private static Step step(List<String> launcher, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(launcher);
        command.addAll(program(args));
        Mpirun.Ended ended = Mpirun.run(command);
        assertEquals(0, ended.code(), ended.err());
        String[] words = ended.out().strip().split(" ");
        return new Step(Double.parseDouble(words[1]), Double.parseDouble(words[2]), Double.parseDouble(words[3]),
                Long.parseLong(words[4]));
    }

    private static List<String> ranks(int count) {
        if (count == 1) {
            return List.of();
        }
        List<String> launcher = new ArrayList<>(Mpirun.launcher());
        launcher.addAll(List.of("-n", Integer.toString(count)));
        return launcher;
    }

    @Test
    void twoRanksAgainstOneAndAgainstTwoThreads() throws IOException, InterruptedException {
        Mpirun.assumed();
        for (String[] each : List.of(new String[]{"resnet20", "128"}, new String[]{"lenet5", "256"})) {
            Map<String, List<Step>> found = new LinkedHashMap<>();
            for (int round = 0; round < ROUNDS; round++) {
                take(found, "one process of 1 thread", step(ranks(1), "step", each[0], each[1], "1", "dense"));
                take(found, "one process of 2 threads", step(ranks(1), "step", each[0], each[1], "2", "dense"));
                take(found, "2 ranks of 1 thread", step(ranks(2), "step", each[0], each[1], "1", "dense"));
            }
            double one = median(found.get("one process of 1 thread"));
            double threads = median(found.get("one process of 2 threads"));
            double two = median(found.get("2 ranks of 1 thread"));
            found.forEach((name, steps) -> System.out.printf(
                    "%s, batch %s, %s: median %.2f ms, least %.2f ms, %.1f %% waiting%n",
                    each[0], each[1], name, 1e3 * median(steps),
                    1e3 * steps.stream().mapToDouble(Step::least).min().orElseThrow(),
                    100 * steps.getLast().waiting()));
            System.out.printf("%s, batch %s: 2 ranks %.2f times one, bar 1.7; %.2f times 2 threads, bar 0.95%n",
                    each[0],
                    each[1], one / two, threads / two);
        }
    }

    private static void take(Map<String, List<Step>> found, String name, Step step) {
        found.computeIfAbsent(name, _ -> new ArrayList<>()).add(step);
    }

    private static double median(List<Step> steps) {
        double[] sorted = steps.stream().mapToDouble(Step::median).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    @Test
    void theModelOfTheCostForetellsOneTwoAndFourRanks() throws IOException, InterruptedException {
        Mpirun.assumed();
        Link memory = link();
        int processors = Runtime.getRuntime().availableProcessors();
        double worst = 0;
        for (String[] each : List.of(new String[]{"resnet20", "128"}, new String[]{"lenet5", "256"})) {
            int batch = Integer.parseInt(each[1]);
            Step quarter = step(ranks(1), "step", each[0], Integer.toString(batch / 4), "1", "dense");
            Step whole = step(ranks(1), "step", each[0], each[1], "1", "dense");
            for (int count : new int[]{1, 2, 4}) {
                Step measured = step(ranks(count), "step", each[0], each[1], "1", "dense");
                StepCost cost = StepCost.of(batch / 4, quarter.median(), batch, whole.median(),
                        List.of(Math.max(1, measured.bytes())));
                double said = cost.seconds(batch, count, Math.min(1.0, (double) processors / count), memory);
                double error = said / measured.median() - 1;
                worst = Math.max(worst, Math.abs(error));
                System.out.printf("%s, batch %d, %d ranks: %.2f ms, the model says %.2f ms, %+.1f %%%n", each[0], batch,
                        count, 1e3 * measured.median(), 1e3 * said, 100 * error);
            }
        }
        assertTrue(worst <= 0.15, "off by " + worst);
    }

    private static Link link() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(ranks(2));
        command.addAll(program("link"));
        Mpirun.Ended ended = Mpirun.run(command);
        assertEquals(0, ended.code(), ended.err());
        System.out.print(ended.out());
        Map<Long, Double> times = new LinkedHashMap<>();
        Arrays.stream(ended.out().strip().split(" ")).skip(1).map(word -> word.split(":"))
                .forEach(word -> times.put(Long.parseLong(word[0]), Double.parseDouble(word[1])));
        return Link.of(FEW, times.get(FEW), MANY, times.get(MANY), false);
    }

    @Test
    void maskedGradientsPassASlowNetworkWhileOthersCompute() throws IOException, InterruptedException {
        Mpirun.assumed();
        try (Namespaces machines = Namespaces.joined(folder, "100mbit")) {
            Step masked = step(machines.launcher(), "step", "lenet5", "512", "1", "masked");
            Step dense = step(machines.launcher(), "step", "lenet5", "512", "1", "dense");
            System.out.printf(
                    "100 Mb/s, LeNet-5, 256 images a rank: masked %.2f ms, %.1f %% waiting, %,d bytes; dense %.2f ms,"
                            + " %.1f %% waiting, %,d bytes%n",
                    1e3 * masked.median(), 100 * masked.waiting(), masked.bytes(),
                    1e3 * dense.median(), 100 * dense.waiting(), dense.bytes());
            assertTrue(masked.waiting() <= 0.10, "waiting for " + masked.waiting());
        }
    }
}
