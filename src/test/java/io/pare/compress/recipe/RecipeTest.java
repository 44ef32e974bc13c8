package io.pare.compress.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.AdmmOptions;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.stage.AdmmPrune;
import io.pare.compress.stage.AdmmValues;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Stage;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RecipeTest {
    @TempDir
    private Path folder;

    static List<String> shipped() {
        return Recipe.shipped();
    }

    @Test
    void everyRecipeInTheJarIsNamed() throws IOException {
        try (var files = Files.list(Path.of("src/main/resources/io/pare/compress/recipes"))) {
            assertEquals(Stream.concat(Recipe.shipped().stream(), Recipe.general().stream())
                    .filter(name -> !name.equals(Recipe.RECONSTRUCT)).sorted().toList(),
                    files.map(file -> file.getFileName().toString().replace(".yaml", "")).sorted().toList());
        }
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void shippedRecipesFitTheSchema(String name) throws IOException {
        Recipe recipe = Recipe.load(name);
        assertEquals(name, recipe.name());
        assertFalse(recipe.description().isBlank());
    }

    @Test
    void generalRecipesTakeARatio() throws IOException {
        for (String name : Recipe.general()) {
            Recipe recipe = Recipe.general(name, 16);
            assertEquals(name, recipe.name());
            assertTrue(recipe.model().isBlank());
            assertNotEquals(recipe.stages(), Recipe.load(name).stages());
        }
        assertTrue(Recipe.general("quantize", 16).stages().toString().contains("2"));
        RecipeException low = assertThrows(RecipeException.class, () -> Recipe.general("prune", 1));
        assertTrue(low.getMessage().contains("above 1"), low.getMessage());
        RecipeException high = assertThrows(RecipeException.class, () -> Recipe.general("quantize", 33));
        assertTrue(high.getMessage().contains("a value of one bit is 32 times smaller"), high.getMessage());
    }

    @Test
    void theUsualRecipeOfAModelIsItsJointOne() throws IOException {
        assertEquals("lenet5-caffe-joint", Recipe.usual("lenet5").name());
        assertEquals("lenet5-joint", Recipe.usual("lenet5-relu").name());
        assertEquals("vgg16-joint", Recipe.usual("vgg16").name());
        assertThrows(RecipeException.class, () -> Recipe.usual("resnet50"));
    }

    @Test
    void aShortenedRecipeHasTheSameStagesOfOneEpochARound() throws IOException {
        Recipe recipe = Recipe.load("lenet5-caffe-joint");
        Recipe brief = recipe.shortened();
        assertEquals(recipe.stages().size(), brief.stages().size());
        for (int i = 0; i < brief.stages().size(); i++) {
            assertEquals(1, brief.stages().get(i).train().epochs());
            assertEquals(recipe.stages().get(i).train().descent().schedule().rate(),
                    brief.stages().get(i).train().descent().schedule().rate());
        }
        assertEquals(1, brief.dense().epochs());
        assertEquals(((AdmmPrune) recipe.stages().get(1)).keep(), ((AdmmPrune) brief.stages().get(1)).keep());
    }

    @Test
    void aStageTakesEveryScheduleAndRuleThatTrainingHas() {
        for (Schedule.Course course : Schedule.Course.values()) {
            for (Optimizer.Rule rule : Optimizer.Rule.values()) {
                TrainingOptions train = Recipe.parse("r", "stages: [mask-retrain: {train: {schedule: " + course
                        + ", optimizer: " + rule + ", learningRate: 0.5}}]").stages().getFirst().train();
                assertEquals(course, train.descent().schedule().course());
                assertEquals(rule, train.descent().optimizer().rule());
            }
        }
        TrainingOptions steps = Recipe.parse("r", "train: {schedule: step, learningRate: 0.5}\nstages: [mask-retrain]")
                .stages().getFirst().train();
        assertEquals(0.5, steps.rate(0.33));
        assertEquals(0.05, steps.rate(0.34), 1e-12);
        assertEquals(0.005, steps.rate(0.67), 1e-12);
    }

    @Test
    void stagesTakeWhatTheyLeaveOutFromTheRecipeAndThenFromTheDefaults() {
        Recipe recipe = Recipe.parse("r", """
                train: {epochs: 7, learningRate: 0.01}
                admm: {rho: 0.5}
                stages:
                  - admm-prune: {keep: {ratio: 10}, train: {epochs: 3}}
                  - mask-retrain
                """);
        AdmmPrune prune = assertInstanceOf(AdmmPrune.class, recipe.stages().getFirst());
        assertEquals(3, prune.train().epochs());
        assertEquals(0.01, prune.train().descent().schedule().rate());
        assertEquals(0.5, prune.admm().rho());
        assertEquals(AdmmOptions.DEFAULTS.factor(), prune.admm().factor());
        assertEquals(7, recipe.stages().get(1).train().epochs());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "stages: [mask-retain]                                        | did you mean 'mask-retrain'?",
        "stages: [mask-retrain: {trian: {epochs: 1}}]                 | did you mean 'train'?",
        "stages: [mask-retrain: {train: {epoch: 1}}]                  | did you mean 'epochs'?",
        "stages: [admm-prune: {keep: {ration: 3}}]                    | did you mean 'ratio'?",
        "{trainer: {}, stages: [mask-retrain]}                        | did you mean 'train'?",
        "stages: []                                                   | at least one stage",
        "name: x                                                      | 'stages' must be a list",
        "stages: [admm-prune: {keep: {ratio: 3, total: 5}}]           | one of total, ratio and layers",
        "stages: [admm-prune: {admm: {rho: 0}}]                       | rho",
        "stages: [mask-retrain: {train: {epochs: many}}]              | epochs: 'many' is no whole number",
        "stages: [mask-retrain: {train: {epochs: 1.5}}]               | epochs",
        "stages: [admm-quantize: {levels: octal}]                     | levels",
        "stages: [mask-retrain: 5]                                    | map of settings",
        "stages: [{mask-retrain: {}, admm-prune: {}}]                 | one name",
        "stages: [mask-retrain: {train: {distill: 2}}]                | distill cannot be 2",
        "stages: [admm-cluster: {bits: {conv1: 4, fc2: 32}}]          | stage 1 (admm-cluster): bits: fc2 cannot be 32: a value takes 1 to 8; leave a layer out and it stays in float",
        "stages: [admm-cluster: {bits: {'*': 33}}]                    | bits: * cannot be 33",
        "stages: [admm-cluster: {bits: {'*': 0}}]                     | bits: * cannot be 0",
        "stages: [admm-quantize: {bits: {'*': 9}}]                    | bits: * cannot be 9",
        "stages: [admm-joint: {bits: {'*': -1}}]                      | bits: * cannot be -1",
        "stages: [admm-joint: {bits: {'*': }}]                        | bits of '*' is missing",
        "stages: [admm-quantize: {bits: {'*': 2}, levels: ternary}]   | 2 with ternary levels, which take 1",
        "stages: [admm-cluster: {bits: {'*': 2}, levels: uniform}]    | levels belongs to admm-quantize",
        "stages: [admm-cluster: {bits: {'*': 2}, follow: false}]      | follow belongs to levels",
        "stages: [admm-cluster: {bits: {'*': 2}, zero: 2}]            | zero",
        "stages: [admm-quantize: {bits: {'*': 2}, levels: 1}]         | levels",
        "stages: [admm-prune: {keep: {ratio: 0.5}}]                   | ratio cannot be 0.5: it is weights to non-zeros, at least 1",
        "stages: [admm-prune: {keep: {ratio: -3}}]                    | ratio cannot be -3",
        "stages: [admm-prune: {keep: {ratio: 'NaN'}}]                  | ratio cannot be NaN",
        "stages: [admm-prune: {keep: {ratio: 1.0e999}}]                  | ratio cannot be Infinity",
        "stages: [admm-prune: {keep: {total: -3}}]                    | one of total",
        "stages: [admm-prune: {keep: {layers: {conv1: 0}}}]           | layers: conv1 cannot be 0.0",
        "stages: [admm-prune: {keep: {layers: {conv1: 1.5}}}]         | a whole number of weights",
        "stages: [admm-prune: {keep: {layers: {conv1: 1.0e999}}}]        | layers: conv1 cannot be Infinity",
        "stages: [admm-prune: {keep: {layers: {fc1: 5}, score: importance}}] | score does not count",
        "stages: [admm-joint: {keep: {ratio: 9, score: importance}}]  | score cannot be importance",
        "stages: [admm-prune: {keep: {ratio: 9, score: counts}}]      | score",
        "stages: [admm-prune: {keep: {ratio: 9, rate: -1}}]           | rate cannot be -1",
        "stages: [admm-prune: {keep: {ratio: 9, rate: 'NaN'}}]         | rate cannot be NaN",
        "stages: [admm-prune: {keep: {layers: {fc1: 5}, rate: 1}}]    | rate does not count where layers says",
        "stages: [admm-joint: {keep: {ratio: 9, rate: 1}}]            | rate belongs to admm-prune",
        "stages: [admm-prune: {keep: {ratio: 9}, ramp: 2}]            | ramp cannot be 2",
        "stages: [admm-prune: {keep: {ratio: 9}, structure: {fc1: {unit: row, share: 0.5}}}] | keep and structure exclude each other",
        "stages: [admm-prune: {structure: {fc1: {unit: row, share: 0}}}]   | share cannot be 0",
        "stages: [admm-prune: {structure: {fc1: {unit: row, share: 1.5}}}] | share cannot be 1.5",
        "stages: [admm-prune: {structure: {fc1: {unit: row, first: 2}}}]   | first and second belong to block and n_of_m",
        "stages: [admm-prune: {structure: {fc1: {unit: n_of_m, first: 2, second: 4, share: 0.5}}}] | not a share",
        "stages: [admm-prune: {structure: {fc1: {unit: n_of_m, first: 5, second: 4}}}] | no such structure",
        "stages: [admm-prune: {structure: {fc1: {unit: block, first: 0}}}] | no such structure",
        "stages: [admm-prune: {structure: {fc1: {unit: row, share: 0.5}}, ramp: 0.5}] | ramp does not count",
        "stages: [admm-prune: {exclude: [null]}]                      | exclude has an empty entry",
        "stages: [admm-prune: {keep: 5}]                              | 'keep' must be a map",
        "stages: [gradual-prune: {keep: {layers: {fc1: 9}, score: lamp}}] | keep takes a total or a ratio here",
        "stages: [gradual-prune: {keep: {ratio: 9, score: importance}}] | give fisher",
        "stages: [obs-prune: {rounds: 0}]                             | rounds cannot be 0",
        "stages: [obs-prune: {damping: 0}]                            | damping cannot be 0.0",
        "stages: [gradual-prune: {exponent: 0.5}]                     | exponent cannot be 0.5",
        "stages: [gradual-prune: {cutsPerEpoch: 0}]                   | cutsPerEpoch cannot be 0.0",
        "stages: [progressive-prune: {ratios: [10, 5]}]               | and grow",
        "stages: [progressive-prune: {ratios: [0.5]}]                 | at least 1",
        "stages: [progressive-prune: {ratios: [5, 1.0e999]}]             | at least 1",
        "stages: [progressive-prune: {ratios: [5], models: 0}]        | models cannot be 0",
        "stages: [progressive-prune: {ratios: [5], prune: {keep: {ratio: 9}}}] | prune takes what it keeps from 'ratios'",
        "stages: [quantize-retrain: {rounds: -1}]                     | rounds cannot be -1",
        "stages: [quantize-retrain: {share: 0}]                       | share cannot be 0",
        "stages: [quantize-retrain: {share: 'NaN'}]                    | share cannot be NaN",
        "stages: [quantize-retrain: {train: {weightDecay: 0.1}}]      | weightDecay would move",
        "stages: [global-budget: {bytes: 1.0e999}]                       | bytes cannot be Infinity",
        "stages: [global-budget: {bytes: 0}]                          | bytes cannot be 0",
        "stages: [global-budget: {minimumBits: 0}]                    | minimumBits cannot be 0",
        "stages: [global-budget: {minimumBits: 5}]                    | minimumBits cannot be 5",
        "stages: [global-budget: {maximumBits: 32}]                   | maximumBits cannot be 32",
        "stages: [global-budget: {score: importance}]                 | score must be lamp, magnitude or fisher",
        "stages: [admm-joint: {keep: {ratio: 9, score: fisher}}]      | give admm: {fisher: true}",
        "stages: [admm-prune: {admm: {fisher: 1}}]                    | fisher",
        "stages: [admm-prune: {keep: {ratio: 9, score: fischer}}]     | 'fischer' is none of",
        "stages: [admm-prune: {admm: {rho: 1.0e999}}]                    | rho cannot be Infinity",
        "stages: [admm-prune: {admm: {rhoOf: {fc1: -1}}}]             | rhoOf: fc1 cannot be -1",
        "stages: [admm-prune: {admm: {tolerance: 'NaN'}}]              | tolerance cannot be NaN",
        "stages: [admm-prune: {admm: {updatesPerEpoch: 0}}]           | updatesPerEpoch cannot be 0",
        "stages: [admm-prune: {admm: {rule: balance, factor: 1}}]     | factor of balance",
        "stages: [admm-prune: {admm: {rule: multiply, rho: 2}}]       | limit 1.0 is below rho 2.0",
        "stages: [mask-retrain: {train: {epochs: -1}}]                | epochs cannot be -1",
        "stages: [mask-retrain: {train: {epochs: 2147483647}}]        | epochs cannot be 2147483647",
        "stages: [mask-retrain: {train: {learningRate: 0}}]           | learningRate cannot be 0",
        "stages: [mask-retrain: {train: {learningRate: 'NaN'}}]        | learningRate cannot be NaN",
        "stages: [mask-retrain: {train: {weightDecay: 1.0e999}}]         | weightDecay cannot be Infinity",
        "stages: [mask-retrain: {train: {momentum: 1}}]               | momentum cannot be 1",
        "stages: [mask-retrain: {train: {temperature: 1.0e999}}]         | temperature cannot be Infinity",
        "stages: [mask-retrain: {train: {average: 1.5}}]              | average cannot be 1.5",
        "stages: [mask-retrain: {train: {zoom: 1}}]                   | zoom cannot be 1",
        "stages: [mask-retrain: {train: {rotate: -1}}]                | rotate cannot be -1",
        "stages: [mask-retrain: {train: {shear: 'NaN'}}]               | shear cannot be NaN",
        "stages: [mask-retrain: {train: {elastic: much}}]             | elastic: 'much' is no number",
        "stages: [mask-retrain: {train: 5}]                           | 'train' must be a map",
        "{train: 5, stages: [mask-retrain]}                           | 'train' must be a map of settings",
        "{admm: [1], stages: [mask-retrain]}                          | 'admm' must be a map of settings",
        "{dense: yes, stages: [mask-retrain]}                         | 'dense' must be a map of settings",
        "{admm: {ruel: 1}, stages: [mask-retrain]}                    | r: unknown key 'ruel', did you mean 'rule'?",
        "{distill: 0.5, stages: [mask-retrain]}                       | 'distill' must be a map of settings",
        "{distill: {teacher: [a], copies: -1}, stages: [mask-retrain: {train: {distill: 1}}]} | copies cannot be -1",
        "{distill: {teacher: [a, '']}, stages: [mask-retrain: {train: {distill: 1}}]} | teacher has an empty entry",
        "{distill: {teacher: a}, stages: [mask-retrain: {train: {distill: 1}}]} | teacher: must be a list",
        "{distill: {teachers: [a]}, stages: [mask-retrain: {train: {distill: 1}}]} | did you mean 'teacher'?",
        "{distill: {teacher: [a]}, stages: [mask-retrain]}            | no stage does: give train a share",
        "{dense: {epoch: 1}, stages: [mask-retrain]}                  | did you mean 'epochs'?",
        "{name: ../../esc, stages: [mask-retrain]}                    | name cannot be '../../esc'",
        "{name: .hidden, stages: [mask-retrain]}                      | the first no dot",
        "{name: {a: 1}, stages: [mask-retrain]}                       | 'name' must be text",
        "{train: {}, train: {}, stages: [mask-retrain]}               | 'train' stands there twice",
        "stages: [admm-cluster: {bits: {'*': 2.5}}]                   | bits.*: '2.5' is no whole number",
        "stages: [admm-prune: {structure: {fc1: {unit: filtr}}}]      | structure.fc1.unit: 'filtr' is none of filter, channel, row, column, block, n_of_m",
        "stages: [admm-prune: {exclude: conv1}]                       | exclude: must be a list, such as [conv1, fc1]",
        "stages: [admm-prune: {structure: {fc1: 0.5}}]                | structure.fc1: must be a map",
        "stages: [admm-prune: {ramp: [0.5]}]                          | ramp: must be one value",
        "stages: [admm-prune: {keep: {ratio: many}}]                  | keep.ratio: 'many' is no number",
        "stages: [mask-retrain: {train: {dropout: maybe}}]            | dropout: 'maybe' is neither true nor false",
        "'{'                                                          | r:"})
    void whatNoRecipeCanSayIsRefusedWithAHint(String yaml, String hint) {
        RecipeException refused = assertThrows(RecipeException.class, () -> Recipe.parse("r", yaml));
        assertTrue(refused.getMessage().contains(hint), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
    }

    @Test
    void whatHasNoValueIsAsIfItWereLeftOut() {
        Recipe recipe = Recipe.parse("r", """
                train:
                stages:
                  - mask-retrain:
                  - admm-prune: {keep: {ratio: 10, score: }, train: , ramp: }
                """);
        assertEquals(List.of(MaskRetrain.DEFAULTS.train(), TrainingOptions.DEFAULTS), recipe.stages().stream()
                .map(Stage::train).toList());
    }

    @Test
    void aFileIsOneRecipeInUtf8() throws IOException {
        Path file = Files.write(folder.resolve("latin.yaml"), "description: Gr\u00f6\u00dfe".getBytes(
                StandardCharsets.ISO_8859_1));
        RecipeException refused = assertThrows(RecipeException.class, () -> Recipe.load(file.toString()));
        assertEquals(file + " is not text in UTF-8: save it as UTF-8", refused.getMessage());
        refused = assertThrows(RecipeException.class,
                () -> Recipe.parse("r", "stages: [mask-retrain]\n---\nstages: [mask-retrain]\n"));
        assertTrue(refused.getMessage().contains("more than one document"), refused.getMessage());
        Files.write(file, new byte[2 << 20]);
        refused = assertThrows(RecipeException.class, () -> Recipe.load(file.toString()));
        assertTrue(refused.getMessage().contains("it is no recipe"), refused.getMessage());
    }

    @Test
    void aRecipeWithoutANameIsCalledLikeItsFile() throws IOException {
        for (String name : List.of("my one.yaml", "..yml", "plain", ".yaml")) {
            Path file = Files.writeString(folder.resolve(name), "stages: [mask-retrain]");
            String found = Recipe.load(file.toString()).name();
            assertTrue(List.of("my-one", "yml", "plain", "recipe").contains(found), found);
        }
    }

    @Test
    void anUnknownNameListsWhatThereIs() {
        RecipeException refused = assertThrows(RecipeException.class, () -> Recipe.load("lenet5-prun"));
        assertTrue(refused.getMessage().contains("did you mean 'lenet5-prune'?"), refused.getMessage());
        assertTrue(refused.getMessage().contains("lenet300-joint"), refused.getMessage());
    }

    @Test
    void patternsNameTensors() {
        assertTrue(TensorPattern.matches("conv1", "conv1.weight"));
        assertTrue(TensorPattern.matches("conv*", "conv1.weight"));
        assertTrue(TensorPattern.matches("*", "fc1.weight"));
        assertTrue(TensorPattern.matches("fc1.weight", "fc1.weight"));
        assertFalse(TensorPattern.matches("fc", "fc1.weight"));
        assertFalse(TensorPattern.matches("fc1", "fc10.weight"));
        assertEquals(1, TensorPattern.first(java.util.Map.of("*", 2, "conv*", 3, "conv1", 1), "conv1.weight", 9));
        assertEquals(3, TensorPattern.first(java.util.Map.of("*", 2, "conv*", 3, "conv1", 1), "conv2.weight", 9));
        assertEquals(2, TensorPattern.first(java.util.Map.of("*", 2, "conv*", 3), "fc2.weight", 9));
        assertEquals(9, TensorPattern.first(java.util.Map.of("conv*", 3), "fc2.weight", 9));
        assertTrue(TensorPattern.matches("*v*t", "conv1.weight"));
        assertTrue(TensorPattern.matches("c*1", "conv1.weight"));
        assertFalse(TensorPattern.matches("c*2", "conv1.weight"));
        assertFalse(TensorPattern.matches("conv.", "conv1.weight"));
        assertFalse(TensorPattern.matches("*a".repeat(40), "a".repeat(30) + "b"));
    }

    private static Recipe ties(String bits) {
        return Recipe.parse("r", "stages: [admm-cluster: {bits: {" + bits + "}}]");
    }

    @Test
    void ofTwoPatternsOfEqualLengthTheFirstInTheFileCounts() {
        String one = "'layer1*': 3, '*.conv1': 2";
        String other = "'*.conv1': 2, 'layer1*': 3";
        AdmmValues first = (AdmmValues) ties(one).stages().getFirst();
        AdmmValues second = (AdmmValues) ties(other).stages().getFirst();
        assertEquals(3, TensorPattern.first(first.bits(), "layer1.0.conv1.weight", 0));
        assertEquals(2, TensorPattern.first(second.bits(), "layer1.0.conv1.weight", 0));
        assertNotEquals(ties(one).text(1), ties(other).text(1), "a run of the one must not go on with the other");
        assertEquals(ties("conv1: 2, conv2: 3").text(1), ties("conv2: 3, conv1: 2").text(1));
        assertEquals(first.bits(), ((AdmmValues) ties(one).shortened().stages().getFirst()).bits());
        assertEquals(ties(one).text(1), ties(one).shortened().text(1).replace("\"epochs\":1", "\"epochs\":10"));
    }
}
