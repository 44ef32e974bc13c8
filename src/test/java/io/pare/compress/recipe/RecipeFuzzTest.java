package io.pare.compress.recipe;

import io.pare.compress.stage.RecipeException;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.net.Models;
import io.pare.net.Parameter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged recipes: each is taken and checked for LeNet-5, or refused in a line. */
class RecipeFuzzTest {
    private static final List<RecipeCheck.Tensor> TENSORS = Models.byName("lenet5").parameters().stream()
            .filter(Parameter::weight).map(each -> RecipeCheck.Tensor.dense(each.name(), each.shape())).toList();
    private static final String EVERYTHING =
            """
                    name: every.stage_1
                    train: &t {epochs: 2, schedule: constant, optimizer: adamw, select: best, flip: yes}
                    admm: {rho: 1.0e-3, rhoOf: {"fc*": 0.5, conv1: 2}, rule: balance, factor: 2, tolerance: 0.1}
                    stages:
                      - admm-prune: {structure: {"*": {unit: block, first: 4, second: 2, share: 0.5}, fc1: {unit: n_of_m, first: 2, second: 4}}}
                      - progressive-prune: {ratios: [2, 4.5], models: 2, prune: {exclude: ["conv*", fc2]}, retrain: *t}
                      - admm-prune: {keep: {layers: {conv1: 0.5, "fc*": 300}, removeDead: false}, masked: false, ramp: 0.5}
                      - admm-quantize: {bits: {"*": 3}, levels: powers, follow: false}
                      - quantize-retrain: {rounds: 2, share: 0.5}
                      - admm-joint: {keep: {total: 2000, score: magnitude}, bits: {"conv*": 2, "fc*": 1}}
                      - admm: {constraints: {"conv*": {kind: Joint, sparsity: {share: 0.5}, k: 3}, fc1: {kind: Clustering, k: 2}}}
                      - cluster-retrain
                      - global-budget: {bytes: 100.5, minimumBits: 1, maximumBits: 2}
                    """;

    @TempDir
    private Path folder;

    private static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>(List.of(EVERYTHING.getBytes()));
        for (String name : List.of("lenet5-file", "lenet5-binary", "alexnet-joint")) {
            try (var in = Recipe.class.getResourceAsStream("/io/pare/compress/recipes/" + name + ".yaml")) {
                seeds.add(in.readAllBytes());
            }
        }
        return seeds;
    }

    private void read(byte[] input) throws IOException {
        Recipe recipe = Recipe.load(Files.write(folder.resolve("fuzz.yaml"), input).toString());
        recipe.shortened();
        recipe.text(recipe.stages().size());
        RecipeCheck.notes(recipe, TENSORS, "fc2.weight", true);
    }

    private Fuzz fuzz() throws IOException {
        return Fuzz.of("recipe", Mutations.of(seeds()).withWords("1.0e999", "-1", "NaN", "9223372036854775807", "0x",
                "&a [*a, *a]", "*t", "<<: ", "[".repeat(100), "{a: ".repeat(60), "!!java.io.File", "\u001b[2J",
                "\ufeff", "---", "null", "''", "? ", "1_000", "ratio: ", "bits: ", "layers: ", "\"*\": ",
                "admm-prune: "),
                this::read, RecipeException.class);
    }

    @Test
    void damagedRecipesAreTakenOrRefused() throws IOException {
        fuzz().run(600);
    }

    @Test
    @Tag("long")
    void manyDamagedRecipesAreTakenOrRefused() throws IOException {
        fuzz().runLong();
    }

    /** What grows a hundredfold when it is read, or stands in too many brackets. */
    @Test
    void bombsAreRefusedSoon() throws IOException {
        StringBuilder aliases = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 30; i++) {
            aliases.append("a%d: &a%d [%s]\n".formatted(i, i, ("*a" + (i - 1) + ", ").repeat(9)));
        }
        List<String> bombs = List.of(aliases.toString(), "[".repeat(500_000), "{a: ".repeat(200_000),
                "name: " + "9".repeat(900_000), "a: 1." + "0".repeat(900_000),
                "stages: [mask-retrain: {train: {epochs: "
                        + "9".repeat(900_000) + "}}]",
                "- ".repeat(400_000), "? ".repeat(300_000), "x".repeat(900_000) + ": 1");
        Fuzz.of("bomb", i -> bombs.get((int) i).getBytes(), this::read, RecipeException.class).run(bombs.size());
    }
}
