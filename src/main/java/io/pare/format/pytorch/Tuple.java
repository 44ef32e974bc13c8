package io.pare.format.pytorch;

import java.util.List;

/** A tuple of a pickle. Equal to itself only, so that no nest of tuples is ever walked. */
final class Tuple {
    static final Tuple EMPTY = new Tuple(List.of());

    private final List<Object> items;

    /** Takes over its argument. */
    Tuple(List<Object> items) {
        this.items = items;
    }

    List<Object> items() {
        return items;
    }
}
