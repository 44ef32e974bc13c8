package io.pare.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.model.Models;
import io.pare.model.Parameter;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RecipeTest {
    static List<String> shipped() {
        return Recipe.shipped();
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void shippedRecipesFitTheSchema(String name) throws IOException {
        Recipe recipe = Recipe.load(name);
        assertEquals(name, recipe.name());
        List<String> tensors = Models.byName(recipe.model()).parameters().stream().filter(Parameter::weight)
                .map(Parameter::name).toList();
        for (Stage stage : recipe.stages()) {
            for (String pattern : patterns(stage)) {
                assertTrue(tensors.stream().anyMatch(tensor -> Pattern.matches(pattern, tensor)),
                        pattern + " names no tensor of " + tensors);
            }
        }
        assertFalse(recipe.description().isBlank());
    }

    private static Set<String> patterns(Stage stage) {
        return switch (stage) {
            case Stage.Prune prune -> prune.keep().layers().keySet();
            case Stage.Values values -> values.bits().keySet();
            case Stage.JointValues joint -> joint.bits().keySet();
            default -> Set.of();
        };
    }

    @Test
    void theUsualRecipeOfAModelIsItsJointOne() throws IOException {
        assertEquals("lenet5-joint", Recipe.usual("lenet5").name());
        assertEquals("vgg16-joint", Recipe.usual("vgg16").name());
        assertThrows(RecipeException.class, () -> Recipe.usual("resnet50"));
    }

    @Test
    void aShortenedRecipeHasTheSameStagesOfOneEpochARound() throws IOException {
        Recipe recipe = Recipe.load("lenet5-joint");
        Recipe brief = recipe.shortened();
        assertEquals(recipe.stages().size(), brief.stages().size());
        for (int i = 0; i < brief.stages().size(); i++) {
            assertEquals(1, brief.stages().get(i).train().epochs());
            assertEquals(recipe.stages().get(i).train().learningRate(), brief.stages().get(i).train().learningRate());
        }
        assertEquals(1, brief.dense().epochs());
        assertEquals(((Stage.Prune) recipe.stages().get(1)).keep(), ((Stage.Prune) brief.stages().get(1)).keep());
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
        Stage.Prune prune = assertInstanceOf(Stage.Prune.class, recipe.stages().getFirst());
        assertEquals(3, prune.train().epochs());
        assertEquals(0.01, prune.train().learningRate());
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
        "stages: [mask-retrain: {train: {epochs: many}}]              | epochs",
        "stages: [mask-retrain: {train: {epochs: 1.5}}]               | epochs",
        "stages: [admm-quantize: {levels: octal}]                     | levels",
        "stages: [mask-retrain: 5]                                    | map of settings",
        "stages: [{mask-retrain: {}, admm-prune: {}}]                 | one name",
        "stages: [mask-retrain: {train: {distill: 2}}]                | distill cannot be 2",
        "'{'                                                          | r:"})
    void whatNoRecipeCanSayIsRefusedWithAHint(String yaml, String hint) {
        RecipeException refused = assertThrows(RecipeException.class, () -> Recipe.parse("r", yaml));
        assertTrue(refused.getMessage().contains(hint), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
    }

    @Test
    void anUnknownNameListsWhatThereIs() {
        RecipeException refused = assertThrows(RecipeException.class, () -> Recipe.load("lenet5-prun"));
        assertTrue(refused.getMessage().contains("did you mean 'lenet5-prune'?"), refused.getMessage());
        assertTrue(refused.getMessage().contains("lenet300-joint"), refused.getMessage());
    }

    @Test
    void patternsNameTensors() {
        assertTrue(Pattern.matches("conv1", "conv1.weight"));
        assertTrue(Pattern.matches("conv*", "conv1.weight"));
        assertTrue(Pattern.matches("*", "fc1.weight"));
        assertTrue(Pattern.matches("fc1.weight", "fc1.weight"));
        assertFalse(Pattern.matches("fc", "fc1.weight"));
        assertFalse(Pattern.matches("fc1", "fc10.weight"));
        assertEquals(1, Pattern.first(java.util.Map.of("*", 2, "conv*", 3, "conv1", 1), "conv1.weight", 9));
        assertEquals(3, Pattern.first(java.util.Map.of("*", 2, "conv*", 3, "conv1", 1), "conv2.weight", 9));
        assertEquals(2, Pattern.first(java.util.Map.of("*", 2, "conv*", 3), "fc2.weight", 9));
        assertEquals(9, Pattern.first(java.util.Map.of("conv*", 3), "fc2.weight", 9));
    }
}
