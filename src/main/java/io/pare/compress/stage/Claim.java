package io.pare.compress.stage;

import io.pare.compress.constraint.Constraint;
import java.util.List;

/** A constraint that a stage will leave, and the stage, if any, by which it will no longer hold. */
public final class Claim {
    /** What to change where the stages themselves do not say better, as the end of a sentence. */
    static final String REORDER = "change their order, or leave one of the two out";

    private final Place place;
    private final List<String> tensors;
    private Constraint constraint;
    private Place broken;

    /** A stage by its number, from 1. */
    record Place(int number, Stage stage) {
        @Override
        public String toString() {
            return "stage " + number + " (" + stage.name() + ")";
        }
    }

    Claim(Place place, Constraint constraint, List<String> tensors) {
        this.place = place;
        this.constraint = constraint;
        this.tensors = tensors;
    }

    /** {@return names, in the constraint's order} */
    public List<String> tensors() {
        return tensors;
    }

    /** {@return the set that the weights lie in} */
    public Constraint constraint() {
        return constraint;
    }

    /**
     * {@return whether it is about that tensor}
     *
     * @param tensor name of a weight tensor
     */
    public boolean on(String tensor) {
        return tensors.contains(tensor);
    }

    /** Whether it bounds the non-zeros and not the values. */
    boolean sparse() {
        return constraint.values() == Long.MAX_VALUE;
    }

    Place place() {
        return place;
    }

    /** Claims another set, whose points a stage will have moved the weights to. */
    void replace(Constraint next) {
        constraint = next;
    }

    /** The stage that breaks it; {@code null} while it holds. */
    Place broken() {
        return broken;
    }

    void broken(Place by) {
        broken = by;
    }

    @Override
    public String toString() {
        int more = tensors.size() - 1;
        return tensors.getFirst() + (more > 0 ? " and " + more + " more" : "") + " with " + constraint.describe();
    }
}
