package io.pare.cli;

import io.pare.data.Corpus;
import io.pare.descent.Attack;
import io.pare.net.Task;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** An attack on the pixels of images, in units of their range. */
final class AttackOption {
    /** Kinds of attack. */
    enum Kind {
        PGD
    }

    @Option(names = "--attack", paramLabel = "NAME",
            description = "Change pixels such that the network fails: pgd, projected gradient ascent from a random start.")
    private Kind kind;

    @Option(names = "--epsilon", paramLabel = "E",
            description = "How far --attack may move a pixel, of its range, which is 0 to 1: such as 0.3 for MNIST, 0.031"
                    + " for CIFAR.")
    private Double epsilon;

    @Option(names = "--attack-step", paramLabel = "E",
            description = "How far each step of --attack moves a pixel, in the same unit (default: 2.5 times --epsilon over"
                    + " --attack-steps).")
    private Double step;

    @Option(names = "--attack-steps", paramLabel = "N",
            description = "Steps of --attack (default: 20 in eval, 7 in train).")
    private Integer steps;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /**
     * {@return the attack that is asked for}
     *
     * @param usualSteps unless the command line says otherwise
     */
    Optional<Attack> get(int usualSteps) {
        inside("--epsilon", epsilon);
        inside("--attack-step", step);
        if (steps != null && (steps < 1 || steps > Attack.MOST_STEPS)) {
            throw new UsageException("--attack-steps is " + steps + ", must be from 1 to " + Attack.MOST_STEPS);
        }
        if (kind == null) {
            for (String option : new String[]{"--epsilon", "--attack-step", "--attack-steps"}) {
                if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                    throw new UsageException(option + " belongs to --attack pgd");
                }
            }
            return Optional.empty();
        }
        if (epsilon == null) {
            throw new UsageException("how far may --attack move a pixel? Give --epsilon, such as 0.3 for MNIST");
        }
        Attack usual = Attack.usual(epsilon, steps == null ? usualSteps : steps);
        return Optional.of(step == null ? usual : new Attack(epsilon, step, usual.steps()));
    }

    /** Refuses data that no attack is for. */
    static void check(Corpus corpus) {
        if (corpus.task() != Task.CLASSIFY) {
            throw new UsageException("--attack is for task classify, not for " + corpus.task());
        }
        if (!corpus.test().pixels()) {
            throw new UsageException("--attack is for pictures; the inputs of " + corpus.name() + " are none");
        }
    }

    private static void inside(String option, Double value) {
        if (value != null && !(value > 0 && value <= 1)) {
            throw new UsageException(
                    option + " is " + value + ", must be above 0 and at most 1, a pixel's whole range");
        }
    }
}
