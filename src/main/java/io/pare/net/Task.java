package io.pare.net;

import java.util.Locale;

/** What a network's outputs are to say of a sample. It decides the loss, and the metric by which networks are chosen. */
public enum Task {
    /** One class: outputs are logits, the loss is the cross-entropy of their softmax. */
    CLASSIFY("accuracy"),
    /** For each label whether it applies: outputs are logits, the loss is binary cross-entropy. */
    MULTILABEL("macro F1"),
    /** Numbers: the loss is the mean squared error. */
    REGRESS("MAE");

    private final String metric;

    Task(String metric) {
        this.metric = metric;
    }

    /** {@return what the metric is called by which networks are chosen} */
    public String metric() {
        return metric;
    }

    /**
     * {@return the metric's value for a score, which is higher the better: the same, but for errors}
     *
     * @param score higher is better
     */
    public double shown(double score) {
        return this == REGRESS ? 0 - score : score;
    }

    /**
     * {@return the score of a metric's value}
     *
     * @param value of the metric
     */
    public double score(double value) {
        return shown(value);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
