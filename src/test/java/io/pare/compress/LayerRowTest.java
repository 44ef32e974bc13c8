package io.pare.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LayerRowTest {
    @Test
    void positionsCostTheLogarithmOfTheirChoices() {
        assertEquals(Math.log(252) / Math.log(2), LayerRow.logChoices(10, 5), 1e-9);
        assertEquals(0, LayerRow.logChoices(10, 0));
    }
}
