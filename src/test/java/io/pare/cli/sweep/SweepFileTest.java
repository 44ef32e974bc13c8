package io.pare.cli.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What sweeps declare, and what is refused in one line. */
class SweepFileTest {
    @TempDir
    Path folder;

    private List<SweptRun> read(String text) throws IOException {
        return SweepFile.read(Files.writeString(folder.resolve("s.yaml"), text));
    }

    private List<String> lines(String text) throws IOException {
        return read(text).stream().map(run -> String.join(" ", run.words())).toList();
    }

    @Test
    void aMatrixMakesARunOfEachCombination() throws IOException {
        List<SweptRun> runs = read("""
                command: train lenet5
                options: {quiet: true, data: synthetic}
                matrix:
                  lr: [0.1, 1e-3]
                  seed: [1, 2, 3]
                """);
        assertEquals(6, runs.size());
        assertEquals(new SweptRun(2, "02-lr=0.1-seed=2", Map.of("lr", "0.1", "seed", "2"),
                List.of("train", "lenet5", "--quiet", "--data=synthetic", "--lr=0.1", "--seed=2")), runs.get(1));
        assertEquals("run 6 (lr 0.001, seed 3)", runs.get(5).title());
    }

    @Test
    void aListMakesARunOfEachEntryWithEachCombination() throws IOException {
        assertEquals(List.of("train lenet5 --lr=1 --seed=1", "train lenet5 --lr=1 --seed=2",
                "train lenet300 --flip=false --seed=1", "train lenet300 --flip=false --seed=2"), lines("""
                        command: [train]
                        list:
                          - {arguments: lenet5, lr: 1}
                          - {arguments: [lenet300], flip: false}
                        matrix: {seed: [1, 2]}
                        """));
        assertEquals(List.of("run a b --dim=n=1 --dim=m=2", "run a b"), lines("""
                command: run
                list:
                  - {arguments: a b, dim: [n=1, m=2]}
                  - {arguments: a b, dim: null}
                """));
    }

    @Test
    void foldersHaveLettersThatEveryFileSystemHas() throws IOException {
        SweptRun run = read("command: eval\nlist: [{data: '../a b/ü*', scale: '" + "9".repeat(200) + "'}]").getFirst();
        assertTrue(run.folder().matches("01-data=\\.\\._a_b___-scale=9+"), run.folder());
        assertEquals(100, run.folder().length());
    }

    @Test
    void whatIsNoSweepIsRefusedInALine() {
        String many = IntStream.range(0, 101).mapToObj(Integer::toString).collect(Collectors.joining(", ", "[", "]"));
        Map<String, String> wrong = Map.ofEntries(
                Map.entry("", "a sweep is a map with the keys command, list, matrix, options"),
                Map.entry("- 1", "a sweep is a map with the keys"),
                Map.entry("command: [train", "(line "),
                Map.entry("command: train\ncommand: eval", "Duplicate field 'command'"),
                Map.entry("command: train\nmatirx: {seed: [1]}", "unknown key 'matirx', did you mean 'matrix'?"),
                Map.entry("matrix: {seed: [1]}", "'command' has nothing, must be a word or a number"),
                Map.entry("command: []\nmatrix: {seed: [1]}", "'command' must name a command, such as 'train lenet5'"),
                Map.entry("command: train", "a sweep needs 'matrix' or 'list'"),
                Map.entry("command: train\nmatrix: {seed: 1}", "'seed' under 'matrix' must be a list of values"),
                Map.entry("command: train\nmatrix: {seed: []}", "'seed' under 'matrix' must be a list of values"),
                Map.entry("command: train\nmatrix: [1]", "'matrix' must be a map, such as {seed: 1}"),
                Map.entry("command: train\nmatrix: {--seed: [1]}", "write an option without its dashes"),
                Map.entry("command: train\nlist: []", "'list' must be a list of maps, one for each run"),
                Map.entry("command: train\nlist: [1]", "entry 1 of 'list' must be a map"),
                Map.entry("command: train\nmatrix: {lr: [{a: 1}]}", "'lr' has {\"a\":1}, must be a word or a number"),
                Map.entry("command: train\noptions: {seed: 1}\nmatrix: {seed: [1]}", "'seed' is set twice"),
                Map.entry("command: train\nlist: [{seed: 1}]\nmatrix: {seed: [1]}", "'seed' is set twice"),
                Map.entry("command: train\nmatrix: {seed: [1, 2, 1]}", "runs 1 and 3 are the same: train --seed=1"),
                Map.entry("command: train\nmatrix: {a: " + many + ", b: " + many + "}", "more than 10000 runs"));
        wrong.forEach((text, said) -> {
            FormatException refused = assertThrows(FormatException.class, () -> read(text), text);
            assertTrue(refused.getMessage().contains(said) && refused.getMessage().lines().count() == 1
                    && refused.getMessage().contains("s.yaml"), text + ": " + refused.getMessage());
        });
    }
}
