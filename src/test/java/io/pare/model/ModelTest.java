package io.pare.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ModelTest {
    @Test
    void lenet5HasThePublishedCounts() {
        Model model = Models.lenet5();
        assertEquals(430_500, model.weightCount());
        assertEquals(431_080, model.parameters().stream().mapToLong(Parameter::count).sum());
    }

    @Test
    void lenet300HasThePublishedCounts() {
        assertEquals(266_200, Models.lenet300().weightCount());
    }

    @Test
    void layersThatDoNotFitAreRefusedByName() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> new Model("odd", new ImageShape(1, 8, 8), 10,
                        List.of(Layer.Conv2d.of("conv", 1, 4, 5), new Layer.Linear("fc", 63, 10))));
        assertTrue(e.getMessage().contains("fc") && e.getMessage().contains("64"), e.getMessage());
        assertThrows(IllegalArgumentException.class,
                () -> Layer.Conv2d.of("big", 1, 4, 9).output(new ImageShape(1, 8, 8)));
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Models.byName("lenet6")).getMessage()
                .contains("lenet300"));
    }
}
