package io.pare.compress.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.stage.RecipeException;
import io.pare.net.Models;
import io.pare.net.Parameter;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Recipes for LeNet-5 (500, 25,000, 400,000 and 5,000 weights) that cannot end well, and those that can. */
class RecipeCheckTest {
    private static List<String> notes(Recipe recipe, String model) {
        List<RecipeCheck.Tensor> tensors = Models.byName(model).parameters().stream().filter(Parameter::weight)
                .map(each -> RecipeCheck.Tensor.dense(each.name(), each.shape())).toList();
        return RecipeCheck.notes(recipe, tensors, tensors.getLast().name(), true);
    }

    private static List<String> notes(String stages) {
        return notes(Recipe.parse("mine.yaml", "{train: {epochs: 2}, stages: [" + stages + "]}"), "lenet5");
    }

    private static String refusal(String stages) {
        String message = assertThrows(RecipeException.class, () -> notes(stages)).getMessage();
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    static List<String> shipped() {
        return Recipe.shipped();
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void shippedRecipesEndWellWithoutAWord(String name) throws IOException {
        Recipe recipe = Recipe.load(name);
        assertEquals(List.of(), notes(recipe, recipe.model()));
        assertEquals(List.of(), notes(recipe.shortened(), recipe.model()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "admm-cluster: {bits: {'conv*': 3}}, admm-cluster: {bits: {'fc*': 2}} | stage 2 (admm-cluster) breaks what stage 1 (admm-cluster) makes, conv1.weight with 8 free values: name the layers of both in one stage's bits",
        "admm-cluster: {bits: {'*': 3}}, admm-cluster: {bits: {'*': 5}} | stage 2 (admm-cluster) breaks what stage 1 (admm-cluster) makes, conv1.weight with 8 free values: ask for no more bits",
        "admm-prune: {keep: {ratio: 10}}, admm-quantize: {bits: {'*': 3}}, mask-retrain | stage 3 (mask-retrain) breaks what stage 2 (admm-quantize) makes, conv1.weight with uniform levels of 3 bits: give cluster-retrain in its place",
        "admm-quantize: {bits: {'*': 3}}, admm-prune: {keep: {ratio: 10}}, mask-retrain | stage 2 (admm-prune) breaks what stage 1 (admm-quantize) makes, conv1.weight with uniform levels of 3 bits: prune first",
        "admm-prune: {keep: {ratio: 20}}, admm-quantize: {bits: {'*': 3}, zero: false, snap: false}, quantize-retrain | stage 2 (admm-quantize) breaks what stage 1 (admm-prune) makes, conv1.weight and 3 more with at most 21525 non-zeros",
        "admm-prune: {keep: {ratio: 10}}, admm-prune: {keep: {ratio: 5}, masked: false} | stage 2 (admm-prune) breaks what stage 1 (admm-prune) makes, conv1.weight and 3 more with at most 43050 non-zeros",
        "admm-prune: {keep: {layers: {fc1: 0.1}}}, admm-prune: {keep: {layers: {fc1: 0.2}}, masked: false} | fc1.weight with at most 40000 non-zeros: leave masked: false out",
        "admm-prune: {structure: {conv2: {unit: filter, share: 0.5}}}, admm-prune: {keep: {ratio: 9}, masked: false} | conv2.weight with 50.0 % of the filters",
        "admm-quantize: {bits: {'*': 3}}, admm-cluster: {bits: {'*': 3}} | levels of the same kind",
        "admm-joint: {keep: {ratio: 50}, bits: {'*': 2}}, mask-retrain | stage 2 (mask-retrain) breaks what stage 1 (admm-joint) makes, conv1.weight with 4 free values",
        "admm-joint: {bits: {'*': 2}}, global-budget: {bytes: 900, maximumBits: 3} | stage 2 (global-budget) breaks what stage 1 (admm-joint) makes",
        "global-budget: {bytes: 900}, mask-retrain | stage 2 (mask-retrain) breaks what stage 1 (global-budget) makes"})
    void aStageThatBreaksWhatAnEarlierOneMadeIsRefusedWithBothNames(String stages, String hint) {
        String message = refusal(braced(stages));
        assertTrue(message.startsWith("mine: stage ") && message.contains(hint), message);
    }

    private static String braced(String stages) {
        return stages.replaceAll("(^|, )([a-z]+-[a-z]+):", "$1{$2:").replaceAll("\\}(?=, \\{[a-z]+-|, [a-z]+-|$)",
                "}}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "admm-cluster: {bits: {'*': 3}}, cluster-retrain",
        "admm-cluster: {bits: {'*': 5}}, mask-retrain, admm-cluster: {bits: {'*': 4}}, cluster-retrain",
        "admm-quantize: {bits: {'*': 3}}, cluster-retrain",
        "admm-quantize: {bits: {'*': 3}}, mask-retrain, admm-quantize: {bits: {'*': 3}}",
        "admm-quantize: {bits: {'*': 3}}, quantize-retrain",
        "admm-prune: {keep: {ratio: 10}}, admm-prune: {keep: {ratio: 20}, masked: false}",
        "admm-prune: {keep: {ratio: 10}}, admm-prune: {keep: {layers: {conv1: 0.1, conv2: 0.1, fc1: 0.1, fc2: 0.1}}, masked: false}",
        "admm-cluster: {bits: {'*': 3}}, admm-prune: {keep: {ratio: 10}, train: {epochs: 0}}",
        "admm-prune: {keep: {ratio: 10}}, global-budget: {bytes: 900}, cluster-retrain",
        "progressive-prune: {ratios: [10, 20]}, admm-joint: {keep: {ratio: 30}, bits: {'*': 2}}"})
    void aStageThatKeepsOrRestoresItIsNot(String stages) {
        assertEquals(List.of(), notes(braced(stages)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "admm-prune: {keep: {ratio: 10}, exclude: [conv9]} | stage 1 (admm-prune) has 'conv9' in exclude, which names no tensor, did you mean 'conv1'?",
        "admm-prune: {keep: {ratio: 10}, exclude: [conv1, fc]} | 'fc' in exclude",
        "admm-cluster: {bits: {conv1: 3, fcc1: 2}} | has 'fcc1' in bits, which names no tensor, did you mean 'fc1'?; only * is a wildcard; tensors are conv1.weight, conv2.weight, fc1.weight, fc2.weight",
        "admm-prune: {keep: {layers: {'re:fc.*': 0.1}}} | only * is a wildcard",
        "admm-prune: {keep: {layers: {'fc[12]': 0.1}}} | only * is a wildcard",
        "admm-prune: {keep: {layers: {'fc?': 0.1}}} | 'fc?' in layers",
        "admm-prune: {keep: {layers: {FC1: 0.1}}} | did you mean 'fc1'?",
        "admm-prune: {structure: {fc3: {unit: row, share: 0.5}}} | 'fc3' in structure",
        "admm-prune: {keep: {ratio: 10}, admm: {rhoOf: {fc9: 1}}} | 'fc9' in rhoOf",
        "admm-prune: {keep: {layers: {fc1: 0.1, conv1: 0.5}}, exclude: ['conv*']} | has 'conv1' in layers, all of which exclude leaves out",
        "admm-joint: {keep: {layers: {conv1: 0.5}}, bits: {'fc*': 2}} | has 'conv1' in layers, all of which bits leaves out",
        "admm-prune: {keep: {ratio: 10}, exclude: ['*']} | exclude leaves out every tensor",
        "admm-prune: {} | needs a keep",
        "admm-prune: {keep: {ratio: 0}} | needs a keep",
        "gradual-prune: {} | needs a keep",
        "admm-cluster: {} | needs 'bits'",
        "progressive-prune: {} | needs 'ratios'",
        "quantize-retrain: {} | needs a stage before it that chooses values",
        "cluster-retrain: {} | stage 1 (cluster-retrain) needs weights of few values, and conv1.weight",
        "admm-cluster: {bits: {'*': 3}, snap: false}, cluster-retrain: {} | stage 2 (cluster-retrain) needs weights of few values",
        "admm-cluster: {bits: {'*': 8}}, cluster-retrain: {} | 7 bits at most",
        "admm-cluster: {bits: {'conv*': 3}}, cluster-retrain: {} | fc1.weight may have more than 255"})
    void whatNamesNothingOrLacksWhatItNeedsIsRefused(String stages, String hint) {
        String message = refusal(braced(stages));
        assertTrue(message.contains(hint), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "admm-prune: {keep: {ratio: 1000000000}} | would keep 0 of 430,500 weights, less than one in each layer, and without them nothing passes: a total of at least 4, or a ratio of at most 107625,",
        "admm-prune: {keep: {total: 3}} | a total of at least 4",
        "progressive-prune: {ratios: [10, 200000]} | would keep 2 of 430,500",
        "admm-prune: {keep: {layers: {conv1: 0.0001}}} | leaves none of the 500 weights of conv1.weight",
        "admm-joint: {keep: {layers: {conv1: 0.0001}}, bits: {'*': 2}} | leaves none of the 500 weights of conv1.weight",
        "admm-prune: {structure: {conv2: {unit: filter, share: 0.009}}} | leaves no filter of conv2.weight",
        "admm-prune: {structure: {fc2: {unit: block, first: 10, second: 500, share: 0.4}}} | leaves no block of fc2.weight",
        "global-budget: {bytes: 0.25} | has 2 bits for 4 layers",
        "admm-prune: {keep: {total: 430501}} | would keep 430,501 weights, and there are 430,500",
        "admm-prune: {keep: {layers: {'fc*': 5001}}} | would keep 5,001 weights of fc2.weight, which has 5,000",
        "admm-prune: {keep: {ratio: 20}, exclude: ['conv*']} | would keep 21,525 of 430,500 weights, and exclude leaves 25,500 of them alone: a total of at least 25,502, or a ratio of at most 16.881, is within reach",
        "admm-joint: {keep: {ratio: 20}, bits: {'fc*': 2}} | bits leaves 25,500 of them alone"})
    void whatWouldLeaveNothingOrIsOutOfReachIsRefused(String stages, String hint) {
        String message = refusal(braced(stages));
        assertTrue(message.contains(hint), message);
    }

    @Test
    void theRatioThatARefusalNamesIsTaken() {
        assertEquals(List.of(), notes("admm-prune: {keep: {ratio: 16.881}, exclude: ['conv*']}"));
        assertEquals(List.of(), notes("admm-prune: {keep: {ratio: 107625}}"));
        // Convolutions that were pruned before may have as few as that.
        assertEquals(List.of(), notes(
                "{admm-prune: {keep: {ratio: 40}}}, {admm-prune: {keep: {ratio: 167}, exclude: ['conv*']}}"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "admm-prune: {structure: {'*': {unit: filter, share: 0.5}}} | stage 1 (admm-prune) leaves fc2.weight alone, for its outputs are the classes; '*' is for several layers",
        "admm-prune: {structure: {fc2: {unit: row, share: 0.5}}} | takes outputs from fc2.weight, which are classes",
        "admm-prune: {keep: {ratio: 10}, admm: {rhoOf: {fc1: 0.1}}} | does not use rhoOf",
        "admm-cluster: {bits: {'*': 3}, snap: false} | no quantize-retrain follows"})
    void whatIsOddIsSaid(String stages, String hint) {
        List<String> notes = notes(braced(stages));
        assertEquals(1, notes.size(), notes.toString());
        assertTrue(notes.getFirst().contains(hint), notes.toString());
    }

    @Test
    void aStructureForAllMayTakeInputsOfTheLastLayer() {
        assertEquals(List.of(), notes("admm-prune: {structure: {'*': {unit: column, share: 0.5}}}"));
    }

    @Test
    void weightsThatAreClusteredFromTheStartMayBeRetrained() {
        Recipe recipe = Recipe.parse("r", "stages: [cluster-retrain]");
        RecipeCheck.Tensor clustered = new RecipeCheck.Tensor("fc.weight", new long[]{10, 500}, 5000, 8);
        assertEquals(List.of(), RecipeCheck.notes(recipe, List.of(clustered), null, false));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{kind: Clustering, k: 4} | mask-retrain | breaks what stage 1 (admm) makes, conv1.weight with 4 free values: give cluster-retrain",
        "{kind: Clustering, k: 4} | {admm-cluster: {bits: {'*': 3}}} | breaks what stage 1 (admm) makes",
        "{kind: Joint, sparsity: {share: 0.1}, k: 4} | mask-retrain | breaks what stage 1 (admm) makes",
        "{kind: Sparsity, share: 0.1} | {admm-prune: {keep: {ratio: 5}, masked: false}} | conv1.weight with at most 10.0 % non-zeros: leave masked",
        "{kind: Quantization, bits: 1, levels: binary} | {admm-quantize: {bits: {'*': 2}}} | breaks what stage 1 (admm) makes"})
    void whatAnyConstraintMadeIsNotToBeBrokenEither(String constraint, String then, String hint) {
        String message = refusal("{admm: {constraints: {'*': " + constraint + "}}}, " + then);
        assertTrue(message.contains(hint), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{kind: Clustering, k: 4} | cluster-retrain",
        "{kind: Quantization, bits: 2} | cluster-retrain",
        "{kind: Sparsity, share: 0.1} | mask-retrain",
        "{kind: Sparsity, share: 0.1} | {admm-prune: {keep: {layers: {'*': 0.1}}, masked: false}}",
        "{kind: StructuredSparsity, unit: n_of_m, first: 2, second: 4} | {admm-cluster: {bits: {'*': 3}}}",
        "{kind: Clustering, k: 8} | {admm-cluster: {bits: {'*': 3}}}"})
    void anyConstraintMayBeKept(String constraint, String then) {
        assertEquals(List.of(), notes("{admm: {constraints: {'*': " + constraint + "}}}, " + then));
    }
}
